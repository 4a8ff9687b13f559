/** Things as the API sends them, for tests: `aJob({ in_flight: 1 })`. */
import type { Schemas } from "~/api/client";

type Run = Schemas["RunModel"];
type Job = Schemas["OverviewJobModel"];

export function aRun(changed: Partial<Run>): Run {
  return {
    run_id: "r-1", job: "flights-nightly", app: "reporting", status: "succeeded", reason: null, trigger: "cron",
    triggered_by: "cron", scheduled_at: "2026-11-22T07:30:00.000Z", caught_up: false, queued_at: "2026-11-22T07:30:00.010Z",
    started_at: "2026-11-22T07:30:00.020Z", finished_at: "2026-11-22T07:34:36.000Z", duration_ms: 275_980, rows_affected: 27_268,
    params: {}, replay_of: null, definition_version: 14, replica: null, current_step: null, backfill: null,
    ...changed,
  };
}

export function aLastRun(changed: Partial<Schemas["LastRunModel"]>): Schemas["LastRunModel"] {
  return {
    run_id: "r-1", status: "succeeded", reason: null, trigger: "cron", queued_at: "2026-11-22T07:30:00.010Z",
    started_at: "2026-11-22T07:30:00.020Z", finished_at: "2026-11-22T07:34:36.000Z", duration_ms: 275_980,
    ...changed,
  };
}

/** A job as the jobs page gets it. */
export function aJob(changed: Partial<Job>): Job {
  return {
    name: "flights-nightly", app: "reporting", description: "", tags: [], enabled: true, state: "up", problems: [], pause: null,
    failures_in_a_row: 0, failing_since: null, late_since: null,
    schedules: [{ key: "main", schedule: "30 2 * * *", timezone: "America/New_York", text: "Every day at 02:30", enabled: true }],
    next_fire_at: null, last_run: null, running: 0, in_flight: 0, p50_ms: null, p95_ms: null, measured_runs: 0, step_count: 7,
    strip: { due: [], outcomes: "", durations: [], runs: [], stands_for: {} },
    ...changed,
  };
}
