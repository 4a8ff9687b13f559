import { describe, expect, it } from "vitest";

import { may, mayAnyJob, mayJob, type Person } from "~/lib/rights";

const person = (...permissions: string[]): Person => ({ superuser: false, permissions, scope: null });

describe("rights on jobs", () => {
  it.each([
    ["job:*", "abort", true],
    ["*", "abort", true],
    ["job:nightly", "run", true],
    ["job:nightly", "abort", false],
    ["job:nightly:abort", "abort", true],
    ["job:nightly:abort", "read", false],
    ["job:reporting:*", "abort", true],
    ["job:reporting:nightly", "run", true],
    ["job:other", "read", false],
    ["job:NIGHTLY", "read", true],
    ["settings:jobs", "read", false],
  ] as const)("%s to %s: %s", (pattern, verb, expected) => {
    expect(mayJob(person(pattern), verb, "nightly", "reporting")).toBe(expected);
  });

  it("a denial wins over any grant, with every verb", () => {
    expect(mayJob(person("job:*", "!job:nightly"), "read", "nightly", "reporting")).toBe(false);
    expect(mayJob(person("job:*", "!job:nightly:run"), "read", "nightly", "reporting")).toBe(true);
  });

  it("a token may do no more than its scope", () => {
    const scoped = { superuser: true, permissions: [], scope: ["job:nightly:read"] };
    expect(mayJob(scoped, "read", "nightly", "reporting")).toBe(true);
    expect(mayJob(scoped, "run", "nightly", "reporting")).toBe(false);
  });
});

it("other permissions are matched word by word", () => {
  expect(may(person("settings:*"), "settings:jobs")).toBe(true);
  expect(may(person("settings"), "settings:jobs")).toBe(false);
  expect(may(person("settings:*", "!settings:raw"), "settings:raw")).toBe(false);
  expect(may({ superuser: true, permissions: [], scope: null }, "settings:raw")).toBe(true);
});

it("the pages about jobs are for who may see any", () => {
  expect(mayAnyJob(person("job:nightly:read"))).toBe(true);
  expect(mayAnyJob(person("settings:jobs"))).toBe(false);
  expect(mayAnyJob(person("job:*", "!job:*"))).toBe(false);
});
