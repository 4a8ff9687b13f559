import { expect, it } from "vitest";

import { parse, passes, print } from "~/lib/filter";

it("reads words, alternatives, denials and quotes, and writes them as they were", () => {
  const text = 'state:failing -tag:etl,ldap "two words" app:"a b"';
  expect(parse(text)).toEqual([
    { name: "state", values: ["failing"], not: false },
    { name: "tag", values: ["etl", "ldap"], not: true },
    { name: "", values: ["two words"], not: false },
    { name: "app", values: ["a b"], not: false },
  ]);
  expect(print(parse(text))).toBe(text);
});

it("takes half-typed text without a complaint", () => {
  expect(parse("state:")).toEqual([]);
  expect(parse("-")).toEqual([{ name: "", values: ["-"], not: false }]);
  expect(parse('"open')).toEqual([{ name: "", values: ["open"], not: false }]);
});

it("lets pass what holds every word; a name it does not know hides nothing", () => {
  const read = (name: string) => ({ "": ["flights-nightly"], tag: ["etl", "ldap"] })[name] ?? null;
  expect(passes(parse("tag:ETL nightly"), read)).toBe(true);
  expect(passes(parse("tag:et"), read)).toBe(false);
  expect(passes(parse("-tag:etl"), read)).toBe(false);
  expect(passes(parse("colour:red"), read)).toBe(true);
});
