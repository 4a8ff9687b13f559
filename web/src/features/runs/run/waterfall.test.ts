import { describe, expect, it } from "vitest";

import type { StoryStep } from "~/features/runs/run/queries";
import { axisWord, picture, tickStep } from "~/features/runs/run/waterfall";

const at = (seconds: number) => new Date(Date.UTC(2026, 10, 22, 14, 0, seconds)).toISOString();
const aStep = (changed: Partial<StoryStep>): StoryStep => ({
  index: 0, name: "load", type: "python", status: "succeeded", reason: null, started_at: at(10), finished_at: at(30), duration_ms: 20_000,
  median_ms: null, median_rows: null, rows_in: null, rows_out: null, tries: [], error: null, frames: [], ...changed,
});
const aTry = (number: number, status: string, from: number, to: number | null, wait_ms: number | null = null) => ({
  number, status, started_at: at(from), finished_at: to === null ? null : at(to), duration_ms: to === null ? null : (to - from) * 1000, wait_ms, error: null,
});
const ended = (steps: StoryStep[]) => picture({ queued_at: at(0), started_at: at(10), finished_at: at(100), final: true, steps }, 0);

describe("the waterfall", () => {
  it("draws the wait in the queue from the very left", () => {
    const { queue, span } = ended([aStep({})]);
    expect(queue).toMatchObject({ kind: "queue", from: 0 });
    expect((queue?.to ?? 0) * span).toBeCloseTo(10_000);
  });
  it("draws tries and back-off apart, the last try in the colour of the step", () => {
    const step = aStep({ status: "failed", finished_at: at(100), tries: [aTry(1, "failed", 10, 20, 5000), aTry(2, "failed", 25, 40, 30_000), aTry(3, "failed", 70, 100)] });
    const [lane] = ended([step]).lanes;
    expect(lane?.bars.map((bar) => bar.kind)).toEqual(["try", "wait", "try", "wait", "bad"]);
    expect(lane?.bars.every((bar, index) => index === 0 || Math.abs(bar.from - (lane.bars[index - 1]?.to ?? 0)) < 1e-9)).toBe(true);
  });
  it("grows a running step to now, and puts the ghosts of waiting ones where they would begin", () => {
    const steps = [aStep({ status: "running", finished_at: null, duration_ms: null, median_ms: 60_000 }), aStep({ index: 1, status: "waiting", started_at: null, finished_at: null, median_ms: 20_000 })];
    const drawn = picture({ queued_at: at(0), started_at: at(10), finished_at: null, final: false, steps }, Date.parse(at(40)));
    const [running, waiting] = drawn.lanes;
    expect((running?.bars.find((bar) => bar.kind === "run")?.to ?? 0) * drawn.span).toBeCloseTo(40_000);
    const ghost = waiting?.bars[0];
    expect(ghost?.kind).toBe("ghost");
    expect((ghost?.from ?? 0) * drawn.span).toBeCloseTo(70_000);
    expect(drawn.now).not.toBeNull();
  });
  it("draws nothing for a step whose result comes from an earlier run", () => {
    expect(ended([aStep({ started_at: at(-60), finished_at: at(-30) })]).lanes[0]?.bars).toEqual([]);
  });
  it("shows a step that waits for its next try as such", () => {
    const step = aStep({ status: "running", finished_at: null, tries: [aTry(1, "failed", 10, 20, 15_000)] });
    const drawn = picture({ queued_at: at(0), started_at: at(10), finished_at: null, final: false, steps: [step] }, Date.parse(at(22)));
    expect(drawn.lanes[0]?.bars.map((bar) => bar.kind)).toEqual(["try", "wait"]);
  });
  it("holds every bar, for a run without steps too", () => {
    expect(ended([]).lanes).toEqual([]);
    for (const lane of ended([aStep({ median_ms: 500_000 })]).lanes) expect(lane.end).toBeLessThanOrEqual(1);
  });
  it("has between three and ten marks on its axis, in words of the span", () => {
    for (const span of [3, 40, 900, 5000, 61_000, 275_980, 4_000_000, 90_000_000, 900_000_000]) {
      expect(span / tickStep(span)).toBeLessThanOrEqual(10);
      expect(span / tickStep(span)).toBeGreaterThan(2);
    }
    expect(axisWord(90_000, 300_000)).toBe("1:30");
    expect(axisWord(400, 1000)).toBe("400 ms");
    expect(axisWord(7_500_000, 9_000_000)).toBe("2:05 h");
  });
});
