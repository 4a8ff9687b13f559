import { describe, expect, it } from "vitest";

import { EMPTY, outcomeOf, type Draft, type Field } from "~/features/jobs/form";
import type { RunForm } from "~/features/jobs/queries";

const field = (name: string, changed: Partial<Field> = {}): Field => ({
  name, kind: "string", description: "", default: null, has_default: false, is_token: false, required: false, optional: true,
  choices: null, picker: null, is_secret: false, origin: "declared", steps: [], ...changed,
});
const form: RunForm = {
  job: "flights-nightly", log_level: "INFO", log_levels: ["DEBUG", "INFO"],
  fields: [
    field("period", { default: "${month.previous}", has_default: true, is_token: true }),
    field("pct", { kind: "int", default: 80, has_default: true }),
    field("mode", { choices: ["full", "delta"], default: "delta", has_default: true }),
    field("api_key", { is_secret: true, default: "***", has_default: true }),
    field("dry_run", { kind: "bool", default: false, has_default: true }),
    field("day", { kind: "date", required: true, optional: false }),
  ],
  steps: [
    { name: "load", type: "python", enabled: true, callable: "a:b", description: "", fields: [field("chunk", { kind: "int", default: 10, has_default: true })] },
    { name: "tell", type: "http", enabled: false, callable: null, description: "", fields: [] },
  ],
  presets: [{ name: "month", description: "", params: { pct: 50 }, op_kwargs: {}, step_enabled: { tell: true }, log_level: "DEBUG", schedule: null }],
};
const draft = (changed: Partial<Draft>): Draft => ({ ...EMPTY, ...changed, values: { "params.day": "2026-11-01", ...changed.values } });
const body = (changed: Partial<Draft>) => outcomeOf(form, draft(changed)).body;

describe("the body of a run", () => {
  it("holds only what differs, each in its own kind", () => {
    expect(body({})).toEqual({ params: { day: "2026-11-01" } });
    expect(body({ values: { "params.pct": "80", "params.mode": "1", "params.dry_run": false } })).toEqual({ params: { day: "2026-11-01" } });
    expect(body({ values: { "params.pct": "90", "params.mode": "0", "params.dry_run": true, "step.load.chunk": "5" } })).toEqual({
      params: { day: "2026-11-01", pct: 90, mode: "full", dry_run: true }, op_kwargs: { load: { chunk: 5 } },
    });
  });

  it("never sends a secret or a looked-up value that was left alone", () => {
    expect(body({ values: { "params.api_key": "", "params.period": "" } })).toEqual({ params: { day: "2026-11-01" } });
    expect(body({ values: { "params.api_key": "new" } }).params).toMatchObject({ api_key: "new" });
  });

  it("measures against the chosen preset: values, steps and log level", () => {
    expect(body({ preset: "month", values: { "params.pct": "50" }, steps: { tell: true }, level: "DEBUG" })).toEqual({
      params: { day: "2026-11-01" }, preset: "month",
    });
    expect(body({ preset: "month", values: { "params.pct": "80" }, steps: { tell: false }, level: "INFO" })).toEqual({
      params: { day: "2026-11-01", pct: 80 }, preset: "month", step_enabled: { tell: false }, log_level: "INFO",
    });
  });

  it("asks nothing of a step that stays off", () => {
    expect(outcomeOf(form, draft({ steps: { load: false }, values: { "step.load.chunk": "many" } }))).toMatchObject({
      faults: {}, running: 0, body: { step_enabled: { load: false } },
    });
  });
});

it("names what is wrong at its field", () => {
  const wrong = (values: Draft["values"]) => outcomeOf(form, { ...EMPTY, values }).faults;
  expect(wrong({})).toEqual({ "params.day": "required" });
  expect(wrong({ "params.day": "2026-13-01", "params.pct": "1.5", "step.load.chunk": "ten" })).toEqual({
    "params.day": "date", "params.pct": "int", "step.load.chunk": "int",
  });
});
