/** Things as the API sends them, for tests: `aJob({ in_flight: 1 })`. */
import type { Schemas } from "~/api/client";

type Run = Schemas["RunModel"];
type Job = Schemas["JobModel"];

export function aRun(changed: Partial<Run>): Run {
  return {
    run_id: "r-1", job: "flights-nightly", app: "reporting", status: "succeeded", reason: null, trigger: "cron",
    triggered_by: "cron", scheduled_at: "2026-11-22T07:30:00.000Z", caught_up: false, queued_at: "2026-11-22T07:30:00.010Z",
    started_at: "2026-11-22T07:30:00.020Z", finished_at: "2026-11-22T07:34:36.000Z", duration_ms: 275_980, rows_affected: 27_268,
    params: {}, replay_of: null, definition_version: 14, replica: null, current_step: null, backfill: null,
    ...changed,
  };
}

export function aJob(changed: Partial<Job>): Job {
  return {
    name: "flights-nightly", app: "reporting", description: "", tags: [], enabled: true, schedule: "30 2 * * *",
    timezone: "America/New_York", state: "scheduled", problems: [], next_fire_at: null, last_run: null, in_flight: 0,
    step_count: 7, pause: null,
    ...changed,
  };
}
