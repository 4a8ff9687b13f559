import { expect, it } from "vitest";

import { lineSpan, valuesOf } from "~/features/settings/sources";

it("sends what was filled in, in its type, and leaves the rest to the defaults", () => {
  const params = [{ name: "period" }, { name: "codes", multiple: true }, { name: "open", type: "boolean" }, { name: "limit", default: 5 }];
  expect(valuesOf(params, { period: "2026-05", codes: "AA\n UA \n", open: "false", limit: "" })).toEqual({
    period: "2026-05", codes: ["AA", "UA"], open: false,
  });
});

it("finds a line in a text", () => {
  expect(lineSpan("one\ntwo\nthree", 2)).toEqual([4, 7]);
  expect(lineSpan("one\ntwo", 1)).toEqual([0, 3]);
});
