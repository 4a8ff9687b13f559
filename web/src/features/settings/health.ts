/** The state of the machinery as the API tells it, and what the page concludes from it. The only place that reads the wire. */
import { queryOptions } from "@tanstack/react-query";

import { api, ok, type Schemas } from "~/api/client";

export type Health = Schemas["TechnicalModel"];
export type Replica = Schemas["ReplicaModel"];

export const HEALTH_MS = 2000;
/** A process that has not beaten for so long is counted as gone by the others. */
const SILENT_MS = 15_000;
/** From here on a loop keeps others waiting. */
export const LAG_LIMIT_MS = 150;

/** Asked every two seconds, never while the tab is hidden; `paused` keeps what is there. */
export const healthQuery = (paused: boolean) =>
  queryOptions({
    queryKey: ["health"],
    staleTime: 1000,
    refetchInterval: paused ? false : HEALTH_MS,
    refetchOnWindowFocus: !paused,
    queryFn: () => ok(api.GET("/admin/jobs/health")),
  });

export interface PoolStat {
  pool: string;
  checked_out: number;
  idle: number;
  size: number;
  dialect: string | null;
  problem?: string;
}

export function poolsOf(health: Health): readonly PoolStat[] {
  return health.pools as unknown as PoolStat[];
}

export function isSilent(replica: Replica, now: number): boolean {
  return now - Date.parse(replica.beat_at) > SILENT_MS;
}

/** How the scheduler is, in one word that picks the sentence. */
export function pulseOf(health: Health): "alive" | "standby" | "off" | "dead" {
  if (health.scheduler === "active") return "alive";
  if (health.scheduler === "error") return "dead";
  return health.lease === null ? "off" : "standby";
}

/** The worst of what was measured, and when. */
export function worstLag(health: Health): Health["lag"]["samples"][number] | null {
  return health.lag.samples.reduce<Health["lag"]["samples"][number] | null>(
    (worst, sample) => (worst === null || sample.worst_ms > worst.worst_ms ? sample : worst), null);
}

/** Where a run is against its usual time: both as parts of one bar that is as long as the longer of the two. */
export function progress(elapsed: number, usual: number): { done: number; mark: number; over: boolean } {
  const whole = Math.max(elapsed, usual * 1.02);
  return { done: elapsed / whole, mark: usual / whole, over: elapsed > usual };
}

/** 0 (top) to 1 (floor) on a logarithmic axis from 1 ms to 10 s. */
export function lagHeight(ms: number): number {
  return 1 - Math.max(0, Math.min(1, Math.log10(Math.max(1, ms)) / 4));
}

/** Only the end of a path, which is what one recognises. */
export function shortPlace(where: string): string {
  const [path = "", ...rest] = where.split(" in ");
  const short = path.split("/").slice(-2).join("/");
  return rest.length === 0 ? short : `${short} in ${rest.join(" in ")}`;
}

/** How often each job is among the failures. */
export function flaps(failures: readonly { job: string }[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { job } of failures) counts.set(job, (counts.get(job) ?? 0) + 1);
  return counts;
}
