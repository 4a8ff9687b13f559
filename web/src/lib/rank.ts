/** Finding by a few letters: every letter must come in order; whole beginnings before words before scattered letters. */

function score(wanted: string, text: string): number | null {
  const found = text.indexOf(wanted);
  if (found === 0) return 0;
  if (found > 0) return /[\s\-_/.]/.test(text.charAt(found - 1)) ? 1 : 2;
  let from = -1;
  for (const letter of wanted) {
    from = text.indexOf(letter, from + 1);
    if (from < 0) return null;
  }
  return 3;
}

/** The items that match, best first, equal ones in their order. */
export function ranked<T>(wanted: string, items: readonly T[], read: (item: T) => string): T[] {
  const letters = wanted.trim().toLowerCase();
  if (letters === "") return [...items];
  return items
    .map((item) => [score(letters, read(item).toLowerCase()), item] as const)
    .filter((pair): pair is readonly [number, T] => pair[0] !== null)
    .sort(([one], [other]) => one - other)
    .map(([, item]) => item);
}
