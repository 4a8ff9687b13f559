/** From the API's job to a row of the page: one state in the words of the design. The only place that reads the wire. */
import type { OverviewJob } from "~/features/jobs/queries";
import type { Known } from "~/lib/suggest";
import type { Instant, Verdict } from "~/ui/strip";

export const STATES = ["failing", "late", "quarantined", "running", "paused", "up"] as const;
/** These have a tab only while a job is in them. */
export const RARE_STATES = ["aborting", "frozen", "disabled", "never-due", "manual"] as const;
export type RowState = (typeof STATES)[number] | (typeof RARE_STATES)[number];

export interface Row {
  name: string;
  app: string;
  tags: readonly string[];
  state: RowState;
  instants: readonly Instant[];
  job: OverviewJob;
}

const VERDICTS: Readonly<Record<string, Verdict>> = {
  succeeded: "succeeded", late: "ran-late", "caught up": "caught-up", failed: "failed", "partial-success": "partial-success",
  aborted: "aborted", missed: "missed", held: "held", skipped: "skipped", queued: "due", running: "running", aborting: "running",
};

function stateOf(job: OverviewJob): RowState {
  if (job.state === "quarantined") return "quarantined";
  if (job.last_run?.status === "aborting") return "aborting";
  if (job.running > 0) return "running";
  // A job without a schedule that has run well is as well as any other.
  if (job.state === "manual" && job.last_run !== null) return "up";
  return job.state;
}

/** Heights are against the job's own p95; without one, against the longest shown. */
function instantsOf(job: OverviewJob, words: Readonly<Record<string, string>>): Instant[] {
  const { due, outcomes, durations, runs, stands_for } = job.strip;
  const longest = job.p95_ms ?? Math.max(1, ...durations.map((one) => one ?? 0));
  return due.map((at, index) => {
    const took = durations[index] ?? null;
    const count = stands_for[String(index)];
    return {
      at: new Date(at).toISOString(),
      verdict: VERDICTS[words[outcomes.charAt(index)] ?? ""] ?? "skipped",
      height: took === null ? null : took / Math.max(1, longest),
      runId: runs[index] === undefined ? null : `r-${runs[index]}`,
      ...(count !== undefined && count > 1 && { count }),
    };
  });
}

export function rowOf(job: OverviewJob, words: Readonly<Record<string, string>>): Row {
  let made: readonly Instant[] | undefined;
  return {
    name: job.name, app: job.app, tags: job.tags, state: stateOf(job), job,
    // Only of those that are seen.
    get instants() {
      return (made ??= instantsOf(job, words));
    },
  };
}

/** What the filter finds under a name; null: it knows no such name. */
export function readRow(row: Row): (name: string) => readonly string[] | null {
  return (name) => {
    switch (name) {
      case "": return [row.name, row.app, row.job.description, ...row.tags];
      case "state": return [row.state];
      case "app": return [row.app];
      case "tag": return row.tags;
      default: return null;
    }
  };
}

export function countByState(rows: readonly Row[]): ReadonlyMap<RowState, number> {
  return counted(rows.map((row) => row.state));
}

/** What the filter bar may offer. */
export function knownOf(rows: readonly Row[]): Known {
  return {
    state: counted<string>(rows.map((row) => row.state)),
    tag: counted(rows.flatMap((row) => row.tags)),
    app: counted(rows.map((row) => row.app)),
  };
}

function counted<T>(values: readonly T[]): ReadonlyMap<T, number> {
  const counts = new Map<T, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}
