/** Where bars stand: everything as a part of one axis that begins when the run was queued. Pure. */
import type { StoryStep } from "~/features/runs/run/queries";

export type Kind = "queue" | "ghost" | "try" | "wait" | "ok" | "bad" | "run" | "idle";
export interface Bar { kind: Kind; from: number; to: number }
export interface Lane { step: StoryStep; bars: readonly Bar[]; /** Right end of the last bar, where the words begin. */ end: number; start: number }
export interface Picture {
  /** Length of the axis in milliseconds. */
  span: number;
  ticks: readonly number[];
  queue: Bar | null;
  lanes: readonly Lane[];
  now: number | null;
}

const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 900_000, 1_800_000, 3_600_000, 7_200_000, 21_600_000, 43_200_000, 86_400_000];
const MOST_TICKS = 9;

export interface Facts {
  queued_at: string;
  started_at: string | null;
  finished_at: string | null;
  final: boolean;
  steps: readonly StoryStep[];
}

const KINDS: Readonly<Record<string, Kind>> = { succeeded: "ok", failed: "bad", running: "run" };

/** The record of an earlier run stands in for a step of a replay that begins further down. */
export function isTaken(step: StoryStep, queued_at: string): boolean {
  return step.finished_at !== null && Date.parse(step.finished_at) < Date.parse(queued_at);
}

export function tickStep(span: number): number {
  return STEPS.find((step) => span / step <= MOST_TICKS) ?? Math.ceil(span / MOST_TICKS / 86_400_000) * 86_400_000;
}

export function picture(facts: Facts, now: number): Picture {
  const zero = Date.parse(facts.queued_at);
  const at = (instant: string) => Math.max(0, Date.parse(instant) - zero);
  const present = Math.max(0, now - zero);
  const started = facts.started_at !== null ? at(facts.started_at) : facts.finished_at !== null ? at(facts.finished_at) : present;
  /** Where the next step would begin if all goes as usual. */
  let expected = Math.max(started, facts.final ? 0 : present);
  const raw = facts.steps.map((step) => {
    if (isTaken(step, facts.queued_at)) return { step, bars: [], start: 0, end: 0 };
    const start = step.started_at !== null ? at(step.started_at) : expected;
    const end = step.finished_at !== null ? at(step.finished_at) : step.started_at !== null ? Math.max(start, present) : start;
    const bars: Bar[] = [];
    if (step.median_ms !== null && (step.started_at !== null || !facts.final)) bars.push({ kind: "ghost", from: start, to: start + step.median_ms });
    const tries = step.tries;
    const kind = KINDS[step.status] ?? "idle";
    tries.forEach((one, index) => {
      const from = at(one.started_at);
      const last = index === tries.length - 1;
      const to = one.finished_at !== null ? at(one.finished_at) : last ? end : from;
      bars.push({ kind: last ? (one.finished_at !== null && step.status === "running" ? "try" : kind) : "try", from, to });
      const next = tries[index + 1];
      const until = next !== undefined ? at(next.started_at) : one.wait_ms !== null && step.status === "running" ? to + one.wait_ms : null;
      if (until !== null && until > to) bars.push({ kind: "wait", from: to, to: until });
    });
    if (tries.length === 0 && step.started_at !== null) bars.push({ kind, from: start, to: end });
    if (!facts.final) expected = Math.max(expected, step.finished_at !== null ? end : Math.max(end, start + (step.median_ms ?? 0)));
    return { step, bars, start, end: Math.max(end, ...bars.map((bar) => bar.to)) };
  });
  const last = Math.max(1, started, facts.finished_at !== null ? at(facts.finished_at) : present, ...raw.map((lane) => lane.end));
  const step = tickStep(last * 1.02);
  // Room at the right for the words beside the last bar.
  const span = facts.final ? last * 1.04 : Math.ceil((last * 1.02) / step) * step;
  const part = (value: number) => value / span;
  const scaled = (bar: Bar): Bar => ({ kind: bar.kind, from: part(bar.from), to: part(bar.to) });
  return {
    span,
    ticks: Array.from({ length: Math.floor(span / step) + 1 }, (_, index) => index * step),
    queue: started > 0 ? { kind: "queue", from: 0, to: part(started) } : null,
    lanes: raw.map((lane) => ({ step: lane.step, bars: lane.bars.map(scaled), start: part(lane.start), end: part(lane.end) })),
    now: facts.final ? null : part(present),
  };
}

/** "0:00", "1:30", "2 h 05", "400 ms": a place on the axis. */
export function axisWord(value: number, span: number): string {
  if (span < 2000) return `${Math.round(value)} ms`;
  if (span < 20_000 && value % 1000 !== 0) return `${(value / 1000).toFixed(1)} s`;
  const seconds = Math.round(value / 1000);
  const two = (of: number) => String(of).padStart(2, "0");
  if (span < 3_600_000) return `${Math.floor(seconds / 60)}:${two(seconds % 60)}`;
  return `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)} h`;
}
