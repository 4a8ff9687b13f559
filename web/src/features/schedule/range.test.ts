import { expect, it } from "vitest";

import { HOUR, isIn, isoDate, place, rangeOf, stepped, ticks } from "~/features/schedule/range";

const now = new Date(2026, 10, 22, 14, 7); // a Sunday

it("shows the week from Monday to Sunday, and goes from week to week", () => {
  const week = rangeOf("week", null, now);
  expect(week.days.map((day) => day.date)).toEqual([16, 17, 18, 19, 20, 21, 22].map((day) => `2026-11-${day}`));
  expect(stepped(week, 1)).toBe("2026-11-23");
  expect(rangeOf("week", stepped(week, -1), now).days[0]?.date).toBe("2026-11-09");
});

it("shows one day, over the end of a month, too", () => {
  const day = rangeOf("day", "2026-10-31", now);
  expect(day.days).toHaveLength(1);
  expect(stepped(day, 1)).toBe("2026-11-01");
  expect(rangeOf("day", "nonsense", now).days[0]?.date).toBe(isoDate(now));
});

it("places instants between its edges", () => {
  const day = rangeOf("day", "2026-11-22", now);
  expect(place(day, day.begin + (day.end - day.begin) / 4)).toBeCloseTo(0.25);
  expect([place(day, day.begin - 1), place(day, day.end + 1)]).toEqual([0, 1]);
  expect([isIn(day, day.begin), isIn(day, day.end)]).toEqual([true, false]);
});

it("is as long as its days are on the clock", () => {
  // In a zone with summer time one of these days has 25 hours, elsewhere all have 24: the edges are midnights anyway.
  const week = rangeOf("week", "2026-10-25", now);
  expect(week.days.reduce((sum, day) => sum + day.hours, 0) * HOUR).toBe(week.end - week.begin);
  expect(week.days.every((day) => new Date(day.begin).getHours() === 0)).toBe(true);
  expect(ticks(rangeOf("day", "2026-11-22", now)).map((tick) => tick.text)).toEqual(["02", "04", "06", "08", "10", "12", "14", "16", "18", "20", "22"]);
});
