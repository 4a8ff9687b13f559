import { describe, expect, it } from "vitest";

import type { Job } from "~/api/jobs";
import { countByState, readRow, rowOf } from "~/features/jobs/row";
import { parse, passes } from "~/lib/filter";
import { aJob, aRun } from "~/test/factories";

const state = (changed: Partial<Job>) => rowOf(aJob(changed)).state;

describe("the state of a job", () => {
  it("is up when it waits for its next time", () => expect(state({})).toBe("up"));
  it("is failing when its last run failed", () => expect(state({ last_run: aRun({ status: "failed" }) })).toBe("failing"));
  it("is running while a run is in flight, whatever the last one did", () =>
    expect(state({ in_flight: 1, last_run: aRun({ status: "failed" }) })).toBe("running"));
  it("is quarantined before anything else", () => expect(state({ state: "quarantined", in_flight: 1 })).toBe("quarantined"));
  it("is manual until it was run for the first time", () => {
    expect(state({ state: "manual", schedule: null })).toBe("manual");
    expect(state({ state: "manual", schedule: null, last_run: aRun({}) })).toBe("up");
  });
});

it("is found by state, tag, app and free text", () => {
  const rows = [rowOf(aJob({ name: "ad-sync", app: "identity", tags: ["ldap"] })), rowOf(aJob({ name: "close", app: "billing", in_flight: 1 }))];
  const found = (text: string) => rows.filter((row) => passes(parse(text), readRow(row))).map((row) => row.name);
  expect(found("app:identity,crm")).toEqual(["ad-sync"]);
  expect(found("-tag:ldap")).toEqual(["close"]);
  expect(found("state:running")).toEqual(["close"]);
  expect(found("SYNC")).toEqual(["ad-sync"]);
  expect(countByState(rows).get("up")).toBe(1);
});
