import { describe, expect, it } from "vitest";

import type { OverviewJob } from "~/features/jobs/queries";
import { countByState, knownOf, readRow, rowOf } from "~/features/jobs/row";
import { parse, passes } from "~/lib/filter";
import { aJob, aLastRun } from "~/test/factories";

const WORDS = { s: "succeeded", l: "late", m: "missed", q: "queued" };
const row = (changed: Partial<OverviewJob>) => rowOf(aJob(changed), WORDS);

describe("the state of a job", () => {
  it("is what the server says while nothing runs", () => expect(row({ state: "failing" }).state).toBe("failing"));
  it("is running while a run is in progress, whatever the last ones did", () =>
    expect(row({ state: "failing", running: 1, last_run: aLastRun({ status: "running" }) }).state).toBe("running"));
  it("is quarantined before anything else", () => expect(row({ state: "quarantined", running: 1 }).state).toBe("quarantined"));
  it("is manual until it was run for the first time", () => {
    expect(row({ state: "manual" }).state).toBe("manual");
    expect(row({ state: "manual", last_run: aLastRun({}) }).state).toBe("up");
  });
});

it("reads the strip: verdicts by letter, heights against the p95, rows that stand for many", () => {
  const { instants } = row({
    p95_ms: 1000,
    strip: { due: [0, 60_000, 120_000, 180_000], outcomes: "smlq", durations: [500, null, 2000, null], runs: [1, 2, 3, 4], stands_for: { 1: 288 } },
  });
  expect(instants.map((one) => one.verdict)).toEqual(["succeeded", "missed", "ran-late", "due"]);
  expect(instants.map((one) => one.height)).toEqual([0.5, null, 2, null]);
  expect(instants[1]).toMatchObject({ at: "1970-01-01T00:01:00.000Z", runId: "r-2", count: 288 });
  expect(instants[0]).not.toHaveProperty("count");
});

it("is found by state, tag, app and free text, and says what there is to find", () => {
  const rows = [row({ name: "ad-sync", app: "identity", tags: ["ldap"] }), row({ name: "close", app: "billing", running: 1 })];
  const found = (text: string) => rows.filter((one) => passes(parse(text), readRow(one))).map((one) => one.name);
  expect(found("app:identity,crm")).toEqual(["ad-sync"]);
  expect(found("-tag:ldap")).toEqual(["close"]);
  expect(found("state:running")).toEqual(["close"]);
  expect(found("SYNC")).toEqual(["ad-sync"]);
  expect(countByState(rows).get("up")).toBe(1);
  expect(knownOf(rows)["state"]?.get("running")).toBe(1);
});
