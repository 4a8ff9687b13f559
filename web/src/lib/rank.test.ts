import { expect, it } from "vitest";

import { ranked } from "~/lib/rank";

it("puts beginnings before words before scattered letters, and keeps order otherwise", () => {
  const names = ["data-flights", "flights-nightly", "f-l-i", "weather", "my flights"];
  expect(ranked("fli", names, (name) => name)).toEqual(["flights-nightly", "data-flights", "my flights", "f-l-i"]);
  expect(ranked("", names, (name) => name)).toEqual(names);
});
