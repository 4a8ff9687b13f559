import { expect, it } from "vitest";

import { DAY_PX, hours, labels, place, quarters, rhythm } from "~/features/jobs/agenda";
import type { Load } from "~/features/jobs/queries";

const SINCE = Date.parse("2026-11-22T14:07:00Z");
const at = (minutes: number) => new Date(SINCE + minutes * 60_000).toISOString();
const load = (fires: readonly [string, number][]): Load => ({
  since: at(0), until: at(1440), slot_seconds: 300, truncated: false, pools: [], repeating: [], together: [], freezes: [],
  events: fires.map(([job, minutes]) => ({ at: at(minutes), job, schedule: "main", preset: null, held: null, expected_ms: 1000, pools: [] })),
});

it("puts a fire at its true place, and those of one minute under one label", () => {
  const found = labels(load([["b", 60], ["a", 60], ["c", 720]]));
  expect(found.map((one) => one.jobs)).toEqual([["b", "a"], ["c"]]);
  expect(found[0]).toMatchObject({ at: 31, expected: null });
  expect(place(load([]), at(1440))).toBe(DAY_PX);
});

it("tells jobs that fire often once, on top", () => {
  const hourly = ["x", "y"].flatMap((job) => Array.from({ length: 24 }, (_, hour): [string, number] => [job, hour * 60 + 53]));
  const found = load([...hourly, ["nightly", 593]]);
  expect(labels(found).map((one) => one.jobs)).toEqual([["nightly"]]);
  expect(rhythm(found)).toEqual([{ job: "x", text: null, times: 24 }, { job: "y", text: null, times: 24 }]);
});

it("moves labels aside until none covers another, inside the day", () => {
  for (const spread of [1, 7, 20]) {
    const found = labels(load(Array.from({ length: 60 }, (_, index): [string, number] => [`job-${index}`, 1439 - index * spread])));
    found.forEach((label, index) => {
      expect(label.top).toBeGreaterThanOrEqual(0);
      expect(label.top).toBeLessThan(DAY_PX);
      if (index > 0) expect(label.top - (found[index - 1]?.top ?? 0)).toBeGreaterThanOrEqual(34);
    });
    expect(new Set(found.flatMap((one) => one.jobs)).size).toBe(60);
  }
});

it("shows the worst five minutes of each quarter of an hour", () => {
  expect(quarters([1, 4, 2, 0, 0, 3, 1], 300)).toEqual([4, 3, 1]);
});

it("names even hours on the viewer's clock", () => {
  const [first] = hours(load([]), "Europe/Paris", "en-GB");
  expect(first).toEqual({ at: (53 / 60) * 31, text: "16:00" });
  expect(hours(load([]), "Europe/Paris", "en-GB").some((hour) => hour.text === "Mon")).toBe(true);
});
