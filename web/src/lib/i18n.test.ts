import { expect, it } from "vitest";

const dictionaries = import.meta.glob<{ en: Record<string, unknown> }>("../**/texts.ts", { eager: true });
const french = import.meta.glob<{ default: Record<string, unknown> }>("../**/texts.fr.ts", { eager: true });

it("every text has a French one that takes the same values", () => {
  expect(Object.keys(dictionaries).length).toBeGreaterThan(2);
  for (const [path, { en }] of Object.entries(dictionaries)) {
    const other = french[path.replace("texts.ts", "texts.fr.ts")]?.default;
    expect(Object.keys(other ?? {}).sort(), path).toEqual(Object.keys(en).sort());
    // It would make the dictionary a promise that is never kept.
    expect(Object.keys(en), path).not.toContain("then");
    for (const [key, text] of Object.entries(en)) {
      expect(typeof other?.[key], `${path} ${key}`).toBe(typeof text);
      if (typeof text === "string") expect(text, `${path} ${key}`).not.toBe("");
    }
  }
});
