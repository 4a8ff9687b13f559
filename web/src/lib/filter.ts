/**
 * The filter bar's text as facts and back: `state:failing tag:etl,ldap -app:crm "two words"`. Text and URL are one value,
 * so a filter can be sent to a colleague. Values of one word are alternatives, words must all hold, `-` turns one round.
 */
import { useCallback } from "react";
import { useSearchParams } from "react-router";

export interface Word {
  /** "" for free text. */
  name: string;
  values: readonly string[];
  not: boolean;
}

const PARTS = /-?(?:[\w-]+:)?(?:"[^"]*"|[^\s"]+)+/g;

export function parse(text: string): Word[] {
  return (text.match(PARTS) ?? []).map((part) => {
    const not = part.startsWith("-") && part.length > 1;
    const [, name = "", rest = ""] = /^(?:([\w-]+):)?(.*)$/.exec(not ? part.slice(1) : part) ?? [];
    const values = rest.split(",").map((one) => one.replaceAll('"', "")).filter((one) => one !== "");
    return { name: name.toLowerCase(), values, not };
  }).filter((word) => word.values.length > 0);
}

export function print(words: readonly Word[]): string {
  return words
    .map(({ name, values, not }) => {
      const shown = values.map((one) => (/\s/.test(one) ? `"${one}"` : one)).join(",");
      return `${not ? "-" : ""}${name === "" ? "" : `${name}:`}${shown}`;
    })
    .join(" ");
}

/** Whether an item passes. `read` gives what an item has under a name, for free text what is searched; null: unknown name. */
export function passes(words: readonly Word[], read: (name: string) => readonly string[] | null): boolean {
  return words.every((word) => {
    const has = read(word.name)?.map((one) => one.toLowerCase());
    if (has === undefined) return true;
    const wanted = word.values.map((one) => one.toLowerCase());
    const found = word.name === ""
      ? wanted.some((one) => has.some((text) => text.includes(one)))
      : wanted.some((one) => has.includes(one));
    return found !== word.not;
  });
}

/** The filter of this page, kept in the URL's `q`. Typing replaces the entry in the history, so that Back leaves the page. */
export function useFilter(): [string, (text: string) => void] {
  const [search, setSearch] = useSearchParams();
  const set = useCallback(
    (text: string) =>
      setSearch(
        (before) => {
          const next = new URLSearchParams(before);
          if (text === "") next.delete("q");
          else next.set("q", text);
          return next;
        },
        { replace: true, preventScrollReset: true },
      ),
    [setSearch],
  );
  return [search.get("q") ?? "", set];
}
