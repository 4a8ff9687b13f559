import { expect, it } from "vitest";

import { EMPTY, joinNewer, joinOlder, MOST_KEPT, patched, peeked, shown } from "~/features/runs/window";
import { aRun } from "~/test/factories";

const runs = (from: number, to: number) => Array.from({ length: from - to + 1 }, (_, index) => aRun({ run_id: `r-${from - index}` }));
const ids = (list: readonly { run_id: string }[]) => list.map((run) => run.run_id);

it("keeps the last few thousand rows and only counts what fell out above", () => {
  let list = EMPTY;
  for (let top = 10_000; top > 5000; top -= 200) list = joinOlder(list, runs(top, top - 199), `r-${top - 199}`);
  expect(list.rows).toHaveLength(MOST_KEPT);
  expect(list.above + list.rows.length).toBe(5000);
  expect(list.rows.at(-1)?.run_id).toBe("r-5001");
  const back = joinNewer(list, runs(7200, 7001), true);
  expect(back.above).toBe(list.above - 200);
  expect(back.rows[0]?.run_id).toBe("r-7200");
  expect(back.older).toBe("r-5201");
});

it("ends above when there is nothing newer, whatever was counted", () => {
  const list = { ...EMPTY, rows: runs(10, 1), above: 3 };
  expect(joinNewer(list, [], false).above).toBe(0);
});

it("never shows a run twice when pages overlap", () => {
  const list = joinOlder({ ...EMPTY, rows: runs(10, 6) }, runs(7, 3), null);
  expect(ids(list.rows)).toEqual(ids(runs(10, 3)));
});

it("lets new runs in at the top, and lets them wait while one reads further down", () => {
  const list = { ...EMPTY, rows: runs(5, 1) };
  expect(ids(peeked(list, runs(7, 4), true).rows)).toEqual(ids(runs(7, 1)));
  const reading = peeked(list, runs(7, 4), false);
  expect(ids(reading.rows)).toEqual(ids(runs(5, 1)));
  expect(ids(reading.waiting)).toEqual(["r-7", "r-6"]);
  expect(ids(peeked(reading, runs(8, 5), false).waiting)).toEqual(["r-8", "r-7", "r-6"]);
  expect(ids(shown(reading).rows)).toEqual(ids(runs(7, 1)));
});

it("changes a row in place, and never from its end back to before", () => {
  const list = { ...EMPTY, rows: [aRun({ run_id: "r-2", status: "running", finished_at: null }), aRun({ run_id: "r-1" })] };
  const moved = patched(list, new Map([["r-2", aRun({ run_id: "r-2", status: "failed" })], ["r-1", aRun({ run_id: "r-1", status: "running", finished_at: null })]]));
  expect(moved.rows.map((run) => run.status)).toEqual(["failed", "succeeded"]);
  expect(patched(list, new Map([["r-9", aRun({})]]))).toBe(list);
});
