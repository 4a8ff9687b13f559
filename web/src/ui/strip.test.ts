import { expect, it } from "vitest";

import { basePath, counted, hit, slotX, SLOTS, stripPaths, WIDTH, type Instant, type Verdict } from "~/ui/strip";

const instants = (...verdicts: Verdict[]): Instant[] =>
  verdicts.map((verdict, index) => ({ at: new Date(index * 60_000).toISOString(), verdict, height: 1, runId: `r-${index}` }));

it("draws one path per kind of mark, however many instants there are", () => {
  const many = instants(...Array.from({ length: 80 }, (_, index): Verdict => (index % 2 === 0 ? "succeeded" : "failed")));
  expect(Object.keys(stripPaths(many)).sort()).toEqual(["k-bad", "k-ok"]);
});

it("puts the newest at the right end and finds it there again", () => {
  expect(slotX(2, 3)).toBe(WIDTH - 5);
  expect(hit(WIDTH - 1, 3)).toBe(2);
  expect(hit(WIDTH - 16, 3)).toBeNull();
  expect(hit(0, 500)).toBe(0);
});

it("leaves a hole in the ground line under a missed instant", () => {
  const drawn = basePath(instants("succeeded", "missed", "succeeded"));
  expect(drawn.match(/h5/g)).toHaveLength(2);
  expect(drawn.match(/h1(?!\d)/g)).toHaveLength(SLOTS - 3);
});

it("counts what it shows", () => {
  expect(counted(instants("succeeded", "missed", "succeeded"))).toEqual(new Map([["succeeded", 2], ["missed", 1]]));
});
