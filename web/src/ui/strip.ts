/** The geometry of the strip of due instants: one 5 px slot each, one path per kind of mark, hit-tested by x. Pure. */

export type Verdict =
  | "succeeded" | "failed" | "partial-success" | "ran-late" | "caught-up" | "missed"
  | "skipped" | "held" | "aborted" | "running" | "due";

export interface Instant {
  at: string;
  verdict: Verdict;
  /** The duration against the job's own p95: 0 to 1, more is cut. Null where nothing ran. */
  height: number | null;
  runId: string | null;
  /** Stands for that many instants in a row: missed or held together. */
  count?: number;
}

export const SLOTS = 60;
export const SLOT = 5;
export const WIDTH = SLOTS * SLOT;
export const HEIGHT = 28;
const FLOOR = 22;
const TALLEST = 18;
const SHORTEST = 3;

/** Class of the mark → the path that draws it for all instants of that kind. */
export type Paths = Readonly<Record<string, string>>;

function bar(x: number, top: number, bottom: number = FLOOR): string {
  return `M${x} ${top}h4v${bottom - top}h-4z`;
}

function marks(instant: Instant, x: number): readonly (readonly [string, string])[] {
  const tall = Math.round(SHORTEST + Math.min(1, instant.height ?? 0.5) * (TALLEST - SHORTEST));
  const top = FLOOR - tall;
  switch (instant.verdict) {
    case "succeeded":
      return [["k-ok", bar(x, top)]];
    case "failed": {
      const lowered = Math.max(top, 8);
      return [["k-bad", bar(x, lowered) + bar(x, lowered - 5, lowered - 2)]];
    }
    case "partial-success": {
      const split = FLOOR - Math.max(2, Math.round(tall / 2) - 1);
      return [["k-ok", bar(x, split)], ["k-part", bar(x, Math.min(top, split - 3), split - 1)]];
    }
    case "ran-late":
      return [["k-ok", bar(x, top)], ["k-late", `M${x} 24h4v3h-4z`]];
    case "caught-up":
      return [["k-ok", bar(x, top)], ["k-late", `M${x} 27l2-4 2 4z`]];
    case "missed":
      return [["k-miss", `M${x + 0.5} 2.5h3v19h-3z`]];
    case "skipped":
      return [["k-skip", [20, 17, 14, 11].map((y) => `M${x} ${y}h4v1h-4z`).join("")]];
    case "held":
      return [["k-hold", `M${x + 0.5} 18.5h3v3h-3z`]];
    case "aborted":
      return [["k-abort", `M${x} ${FLOOR}v${-tall}l4 ${Math.min(5, tall - 1)}V${FLOOR}z`]];
    case "running": {
      const lowered = Math.max(top, 9);
      return [["k-run", bar(x, lowered) + bar(x, lowered - 3, lowered - 2) + bar(x, lowered - 6, lowered - 5)]];
    }
    case "due":
      return [["k-due", `M${x + 0.5} 21.5v${1 - tall}h3v${tall - 1}`]];
  }
}

/** The newest instant stands at the right end. */
export function slotX(index: number, count: number): number {
  return (SLOTS - count + index) * SLOT;
}

export function stripPaths(instants: readonly Instant[]): Paths {
  const shown = instants.slice(-SLOTS);
  const paths: Record<string, string> = {};
  shown.forEach((instant, index) => {
    for (const [kind, path] of marks(instant, slotX(index, shown.length))) paths[kind] = (paths[kind] ?? "") + path;
  });
  return paths;
}

/** The ground line: whole under instants, broken where one was missed, dots where there was none yet. */
export function basePath(instants: readonly Instant[]): string {
  const shown = instants.slice(-SLOTS);
  let path = "";
  for (let slot = 0; slot < SLOTS - shown.length; slot++) path += `M${slot * SLOT + 1.5} 22.5h1`;
  shown.forEach((instant, index) => {
    if (instant.verdict !== "missed") path += `M${slotX(index, shown.length)} 22.5h${SLOT}`;
  });
  return path;
}

/** Which instant lies under `x` (in the strip's own units); null left of the first. */
export function hit(x: number, count: number): number | null {
  const shown = Math.min(count, SLOTS);
  const index = Math.floor(x / SLOT) - (SLOTS - shown);
  return index >= 0 && index < shown ? index : null;
}

export function counted(instants: readonly Instant[]): ReadonlyMap<Verdict, number> {
  const counts = new Map<Verdict, number>();
  for (const { verdict } of instants.slice(-SLOTS)) counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
  return counts;
}
