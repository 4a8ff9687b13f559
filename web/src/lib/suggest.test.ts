import { expect, it } from "vitest";

import { suggest, type Known } from "~/lib/suggest";

const known: Known = { state: new Map([["up", 7], ["failing", 1]]), tag: new Map([["etl", 3], ["two words", 5]]), app: new Map() };
const labels = (typing: string) => suggest(typing, known).map((one) => one.label);

it("offers the names that lead to something, then their values with the most frequent first", () => {
  expect(labels("")).toEqual(["state:", "tag:"]);
  expect(labels("-t")).toEqual(["-tag:"]);
  expect(labels("tag:")).toEqual(["two words", "etl"]);
  expect(labels("nothing")).toEqual([]);
  expect(labels("tag:etl ")).toEqual([]);
});

it("completes the word that is being typed and leaves the others alone", () => {
  expect(suggest("sync -tag:e", known)[0]?.text).toBe("sync -tag:etl ");
  expect(suggest("tag:etl,", known)[0]?.text).toBe('tag:etl,"two words" ');
});
