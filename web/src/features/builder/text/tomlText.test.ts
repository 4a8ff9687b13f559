/** Where steps stand, how problems are mended, what differs. */
import { describe, expect, it } from "vitest";

import type { Problem } from "~/features/builder/paths";
import { lineDiff, unifiedLines } from "~/features/builder/text/lineDiff";
import { tablesIn } from "~/features/builder/text/sqlText";
import { fixOf, stepAt, stepLines } from "~/features/builder/text/tomlText";
import { meantNumber, readNumber, readValue, writeValue } from "~/features/builder/values";

const TEXT = `[[jobs]]
name = "a"

[[jobs.steps]]
type = "sql_query"
query = """
[[jobs.steps]]
"""
tags = [
  [1],
]

# about the next
[[jobs.steps]]
type = "sql_copy"
[jobs.steps.source]
connector = "x"

[jobs.retry]
attempts = 2`;

describe("steps in a text", () => {
  it("are found by their headers, not by what looks like one in a text or a list", () => {
    const steps = stepLines(TEXT);
    expect(steps).toEqual([{ from: 4, to: 11 }, { from: 14, to: 17 }]);
    expect([stepAt(steps, 2), stepAt(steps, 8), stepAt(steps, 16), stepAt(steps, 19)]).toEqual([null, 0, 1, null]);
  });
  it("may be written in one line, which has no place of its own", () => {
    expect(stepLines('[[jobs]]\nsteps = [{ type = "python" }]')).toEqual([]);
  });
});

describe("fixes", () => {
  const problem = (message: string, line: number, column: number) => ({ message, line, column, path: [] }) as unknown as Problem;
  const mended = (text: string, message: string, line: number, column: number) => {
    const fix = fixOf(problem(message, line, column), text);
    return fix === null ? null : text.slice(0, fix.from) + fix.insert + text.slice(fix.to);
  };
  it("put the key or name that was meant", () => {
    expect(mended('a = 1\nschedul = "x"', "unknown key 'schedul'; did you mean 'schedule'?", 2, 1)).toBe('a = 1\nschedule = "x"');
    expect(mended('mode = "upsrt"', "must be 'append' or 'upsert', not 'upsrt'; did you mean 'upsert'?", 1, 1)).toBe('mode = "upsert"');
  });
  it("put the number that was meant", () => {
    expect(mended('batch_size = "10k" # big', "must be a whole number", 1, 1)).toBe("batch_size = 10000 # big");
    expect(mended('batch_size = "many"', "must be a whole number", 1, 1)).toBeNull();
    expect([meantNumber("5 %"), meantNumber("1,000"), meantNumber("2 min"), meantNumber("x1")]).toEqual([5, 1000, 120, null]);
  });
});

it("values are what they look like, and quotes make text of anything", () => {
  for (const value of ["plain", "12", 12, true, "true", [1, "b"], "[", "00123", "1e5", '"'] as const) expect(readValue(writeValue(value))).toEqual(value);
  expect([readNumber("1.5"), readNumber("1."), readNumber("")]).toEqual([1.5, "1.", undefined]);
});

it("differences are lines with what is around them", () => {
  const old = Array.from({ length: 20 }, (_, index) => `line ${index}`);
  const now = old.with(10, "changed");
  const lines = lineDiff(old.join("\n"), now.join("\n"));
  expect(lines.filter((one) => one.kind !== "same")).toEqual([
    { kind: "gap", text: "" }, { kind: "removed", text: "line 10" }, { kind: "added", text: "changed" },
  ]);
  expect(lines).toHaveLength(9);
  expect(lineDiff("a\n", "a")).toEqual([]);
  expect(unifiedLines("--- a\n+++ b\n@@ -1 +1 @@\n-x\n+y\n z").map((one) => one.kind)).toEqual(["removed", "added", "same"]);
});

it("the tables of a statement, and what it calls them", () => {
  expect(tablesIn("select * from ops.flights f left join planes as p on f.x = p.x where 1")).toEqual([
    { schema: "ops", table: "flights", alias: "f" }, { schema: null, table: "planes", alias: "p" },
  ]);
  expect(tablesIn("update flights set a = 1")).toEqual([{ schema: null, table: "flights", alias: null }]);
});
