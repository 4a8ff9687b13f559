/**
 * The part of a very long list that is in memory. Pages join at either end; what falls out at the other is only counted, so
 * the place of a row on the page does not change and a million runs need no more memory than the last few thousand.
 */
import type { Run } from "~/features/runs/query";

export const MOST_KEPT = 2000;

export interface RunWindow {
  rows: readonly Run[];
  /** Rows above the first one in memory. */
  above: number;
  /** Where to go on below; null: the end is there. */
  older: string | null;
  /** Runs that came while somebody was reading further down. */
  waiting: readonly Run[];
}

export const EMPTY: RunWindow = { rows: [], above: 0, older: null, waiting: [] };

export function numberOf(run: Pick<Run, "run_id">): number {
  return Number(run.run_id.slice(2));
}

export function joinOlder(before: RunWindow, page: readonly Run[], older: string | null): RunWindow {
  const last = before.rows.at(-1);
  const all = [...before.rows, ...(last === undefined ? page : page.filter((run) => numberOf(run) < numberOf(last)))];
  const dropped = Math.max(0, all.length - MOST_KEPT);
  return { ...before, rows: all.slice(dropped), above: before.above + dropped, older };
}

/** `page` is newest first and follows the first row upwards; `more`: there is still something above it. */
export function joinNewer(before: RunWindow, page: readonly Run[], more: boolean): RunWindow {
  const first = before.rows[0];
  const joined = first === undefined ? page : page.filter((run) => numberOf(run) > numberOf(first));
  const all = [...joined, ...before.rows];
  const rows = all.slice(0, MOST_KEPT);
  const last = rows.at(-1);
  return {
    ...before,
    rows,
    above: more ? Math.max(1, before.above - joined.length) : 0,
    older: rows.length < all.length && last !== undefined ? last.run_id : before.older,
  };
}

/** The newest page was read again: known rows change in place, new ones wait or come in at the top. */
export function peeked(before: RunWindow, newest: readonly Run[], atTop: boolean): RunWindow {
  const known = new Set(before.rows.map((run) => run.run_id));
  const held = new Map(before.waiting.map((run) => [run.run_id, run]));
  const last = before.rows.at(-1);
  for (const run of newest) {
    const below = last !== undefined && numberOf(run) < numberOf(last);
    if (!known.has(run.run_id) && !below) held.set(run.run_id, run);
  }
  const changed = patched(before, new Map(newest.map((run) => [run.run_id, run])));
  const waiting = [...held.values()].sort((a, b) => numberOf(b) - numberOf(a));
  if (!atTop || before.above > 0) return { ...changed, waiting };
  return shown({ ...changed, waiting });
}

/** Lets in what waits. */
export function shown(before: RunWindow): RunWindow {
  if (before.waiting.length === 0) return before;
  const all = [...before.waiting, ...before.rows].sort((a, b) => numberOf(b) - numberOf(a));
  const rows = all.slice(0, MOST_KEPT);
  return { ...before, rows, waiting: [], older: rows.length < all.length ? (rows.at(-1)?.run_id ?? null) : before.older };
}

/** Rows that moved; the same object when none of them is here. A final run is never overwritten by older news. */
export function patched(before: RunWindow, moved: ReadonlyMap<string, Run>): RunWindow {
  let any = false;
  const put = (run: Run) => {
    const next = moved.get(run.run_id);
    if (next === undefined || (run.finished_at !== null && next.finished_at === null)) return run;
    any = true;
    return next;
  };
  const rows = before.rows.map(put);
  const waiting = before.waiting.map(put);
  return any ? { ...before, rows, waiting } : before;
}
