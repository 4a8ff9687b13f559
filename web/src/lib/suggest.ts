/** What the filter bar offers while somebody types: names of filters, then values under the name. Pure. */

export interface Suggestion {
  /** What is put in place of the word being typed; a value ends with a space, which makes it a chip. */
  text: string;
  label: string;
  /** "12" jobs have it. */
  count: number | null;
}

/** Name of a filter → its values and how many items have each. */
export type Known = Readonly<Record<string, ReadonlyMap<string, number>>>;

const MOST = 8;

export function suggest(typing: string, known: Known): Suggestion[] {
  if (/\s$/.test(typing) || typing.includes('"')) return [];
  const last = typing.split(/\s+/).at(-1) ?? "";
  const before = typing.slice(0, typing.length - last.length);
  const not = last.startsWith("-") ? "-" : "";
  const word = last.slice(not.length).toLowerCase();
  const colon = word.indexOf(":");
  if (colon < 0) {
    return Object.keys(known)
      .filter((name) => name.startsWith(word) && (known[name]?.size ?? 0) > 0)
      .map((name) => ({ text: `${before}${not}${name}:`, label: `${not}${name}:`, count: null }));
  }
  const name = word.slice(0, colon);
  const values = last.slice(not.length + colon + 1).split(",");
  const part = (values.at(-1) ?? "").toLowerCase();
  const taken = values.slice(0, -1);
  return [...(known[name] ?? [])]
    .filter(([value]) => value.toLowerCase().includes(part) && !taken.includes(value))
    .sort(([one, ones], [other, others]) => others - ones || one.localeCompare(other))
    .slice(0, MOST)
    .map(([value, count]) => {
      const shown = /\s/.test(value) ? `"${value}"` : value;
      return { text: `${before}${not}${name}:${[...taken, shown].join(",")} `, label: value, count };
    });
}
