import { expect, it } from "vitest";

import { forgetFilter, savedFilters, saveFilter } from "~/lib/saved";
import { remember } from "~/lib/storage";

it("keeps filters by name for each page, and takes what it does not understand as none", () => {
  saveFilter("jobs", "Night desk", "-tag:sandbox");
  saveFilter("jobs", "Mine", "app:billing");
  saveFilter("jobs", "Night desk", "state:failing");
  expect(savedFilters("jobs")).toEqual([{ name: "Mine", filter: "app:billing" }, { name: "Night desk", filter: "state:failing" }]);
  expect(savedFilters("runs")).toEqual([]);
  expect(forgetFilter("jobs", "Mine")).toHaveLength(1);
  remember("filters-jobs", '{"not": "a list"}');
  expect(savedFilters("jobs")).toEqual([]);
});
