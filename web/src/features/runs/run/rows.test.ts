import { expect, it } from "vitest";

import { changedParams } from "~/features/runs/run/params";
import { tableOf } from "~/features/runs/run/rows";

it("finds the rows of a query, with what stood beside them", () => {
  expect(tableOf({ row_count: 2, rows: [{ a: 1 }, { a: 2, b: null }] })).toEqual({ columns: ["a", "b"], rows: [[1, undefined], [2, null]], rest: { row_count: 2 } });
  expect(tableOf({ columns: ["x"], rows: [[1], [2]] })).toEqual({ columns: ["x"], rows: [[1], [2]], rest: null });
});

it("leaves everything else to the tree", () => {
  for (const value of [null, "text", [], [1, 2], { a: 1 }, { a: [{ x: 1 }], b: [{ y: 1 }] }, [{}]]) expect(tableOf(value)).toBeNull();
});

it("sends only the params that differ, in the kind they had", () => {
  const before = { period: "2026-05", limit: 10, dry: false, tags: ["a"] };
  expect(changedParams(before, { period: "2026-05", limit: "12", dry: "true", tags: '["b"]' })).toEqual({ params: { limit: 12, dry: true, tags: ["b"] }, wrong: [] });
  expect(changedParams(before, { limit: "many", tags: "[" })).toEqual({ params: {}, wrong: ["limit", "tags"] });
});
