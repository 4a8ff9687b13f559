import { expect, it } from "vitest";

import { perHour, shownLanes, worst, type Cell, type Lane } from "~/features/schedule/lanes";
import { cellX, hit, lanePaths, WIDTH } from "~/features/schedule/marks";
import { HOUR, rangeOf } from "~/features/schedule/range";
import { parse } from "~/lib/filter";

const week = rangeOf("week", "2026-11-18", new Date(2026, 10, 18, 12));
const cell = (hour: number, changed: Partial<Cell> = {}): Cell => ({
  at: week.begin + hour * HOUR, outcome: "succeeded", count: 1, ofThat: 1, durationMs: 1000, runId: "r-1", held: null, several: false, ...changed,
});
const lane = (job: string, cells: readonly Cell[]): Lane => ({ job, app: "shop", tags: ["etl"], text: "", timezone: null, cells });

it("draws one path per kind of mark, and longer runs taller", () => {
  const paths = lanePaths(week, [cell(1, { durationMs: 10 }), cell(2), cell(3, { outcome: "failed" }), cell(4, { outcome: "planned" })]);
  expect(Object.keys(paths).sort()).toEqual(["k-bad", "k-fut", "k-ok"]);
  const heights = [...(paths["k-ok"] ?? "").matchAll(/v(\d+)/g)].map((found) => Number(found[1]));
  expect(heights[0]).toBeLessThan(heights[1] ?? 0);
});

it("keeps bars that stand for an hour apart, and every bar inside the lane", () => {
  const late = cellX(week, cell(1.75, { count: 4 }));
  expect(cellX(week, cell(2, { count: 4 })) - late).toBeCloseTo(WIDTH / 168, 0);
  expect(cellX(week, cell(167.99))).toBeLessThanOrEqual(WIDTH - 5);
});

it("finds the bar that was pointed at, and none in the void", () => {
  const cells = [cell(10), cell(20)];
  expect(hit(week, cells, (cellX(week, cells[1] as Cell) + 2) / WIDTH)).toBe(1);
  expect(hit(week, cells, 0.9)).toBeNull();
});

it("counts instants by hour and finds lanes by what became of them", () => {
  const lanes = [lane("a", [cell(1, { count: 4 }), cell(5, { outcome: "planned", runId: null })]), lane("b", [cell(1, { outcome: "caught up" })])];
  const foreseen = { items: [{ at: new Date(week.begin + 5 * HOUR).toISOString(), job: "a" }] } as Parameters<typeof perHour>[2];
  const { past, coming } = perHour(week, lanes, foreseen, week.begin + 4 * HOUR);
  expect([past[1], past[5], coming[5]]).toEqual([5, 0, 1]);
  expect(shownLanes(lanes, parse("verdict:caught-up")).map((one) => one.job)).toEqual(["b"]);
  expect(worst([cell(1), cell(2, { outcome: "late" }), cell(3, { outcome: "missed" })])).toBe("missed");
});
