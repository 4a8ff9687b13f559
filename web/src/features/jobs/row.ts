/** From the API's job to a row of the page: one state in the words of the design. The only place that reads the wire. */
import type { Job } from "~/api/jobs";

export const STATES = ["failing", "late", "quarantined", "running", "paused", "up"] as const;
export type RowState = (typeof STATES)[number] | "aborting" | "frozen" | "disabled" | "manual" | "never-due";

export interface Row {
  name: string;
  app: string;
  tags: readonly string[];
  state: RowState;
  job: Job;
}

const FAILED: ReadonlySet<string> = new Set(["failed", "partial-success"]);

function stateOf(job: Job): RowState {
  if (job.state === "quarantined") return "quarantined";
  if (job.last_run?.status === "aborting") return "aborting";
  if (job.in_flight > 0) return "running";
  if (job.state === "paused" || job.state === "frozen" || job.state === "disabled" || job.state === "never-due") return job.state;
  if (job.last_run !== null && FAILED.has(job.last_run.status)) return "failing";
  return job.state === "manual" && job.last_run === null ? "manual" : "up";
}

export function rowOf(job: Job): Row {
  return { name: job.name, app: job.app, tags: job.tags, state: stateOf(job), job };
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
  const counts = new Map<RowState, number>();
  for (const { state } of rows) counts.set(state, (counts.get(state) ?? 0) + 1);
  return counts;
}
