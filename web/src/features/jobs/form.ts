/**
 * Run with parameters: what was typed, against what the run would get anyway, as the body to send. Pure.
 *
 * A draft holds only what somebody touched. Its keys are `params.<name>` and `<step>.<name>`.
 */
import type { Schemas } from "~/api/client";
import type { RunForm } from "~/features/jobs/queries";

export type Field = Schemas["FormFieldModel"];
export type Body = Schemas["RunBody"];
export type Level = Schemas["Level"];
type Preset = RunForm["presets"][number];

export interface Draft {
  preset: string | null;
  /** Text as typed, a box as true or false; choices by their place. */
  values: Readonly<Record<string, string | boolean>>;
  steps: Readonly<Record<string, boolean>>;
  level: Level | null;
}
export const EMPTY: Draft = { preset: null, values: {}, steps: {}, level: null };

export type Fault = "required" | "int" | "float" | "date" | "datetime" | "list" | "table";
type Read = { value: unknown } | { fault: Fault } | "as-it-is";

/** `undefined`: as if it had never been touched. */
export function withValue(draft: Draft, key: string, value: string | boolean | undefined): Draft {
  const values = Object.entries(draft.values).filter(([other]) => other !== key);
  return { ...draft, values: Object.fromEntries(value === undefined ? values : [...values, [key, value]]) };
}

/** Null: a field of the job; else the step it belongs to. */
export const keyOf = (field: Field, step: string | null) => (step === null ? `params.${field.name}` : `step.${step}.${field.name}`);

export function presetOf(form: RunForm, draft: Draft): Preset | null {
  return form.presets.find((one) => one.name === draft.preset) ?? null;
}

/** What the run gets when nothing is sent but the preset. */
export function baseOf(field: Field, step: string | null, preset: Preset | null): { value: unknown; has: boolean } {
  const set = step === null ? preset?.params : preset?.op_kwargs[step];
  if (set !== undefined && field.name in set) return { value: (set as Record<string, unknown>)[field.name], has: true };
  return { value: field.default, has: field.has_default };
}

/** Secrets and what is looked up when the run starts begin empty: their value is not known here. */
export function isBlank(field: Field, base: unknown): boolean {
  return field.is_secret || (typeof base === "string" && base.includes("${"));
}

export function textOf(field: Field, base: unknown): string {
  if (isBlank(field, base) || base === null || base === undefined) return "";
  if (field.choices !== null) {
    const place = field.choices.findIndex((one) => same(one, base));
    return place < 0 ? "" : String(place);
  }
  return typeof base === "string" ? base : JSON.stringify(base);
}

function readText(field: Field, text: string, base: { value: unknown; has: boolean }): Read {
  if (text === "") {
    if (isBlank(field, base.value)) return base.has || !field.required ? "as-it-is" : { fault: "required" };
    if (field.choices === null && field.kind === "string" && typeof base.value === "string") return { value: "" };
    if (field.optional && base.value !== null && base.value !== undefined) return { value: null };
    return base.has || !field.required ? "as-it-is" : { fault: "required" };
  }
  if (field.choices !== null) return { value: field.choices[Number(text)] };
  switch (field.kind) {
    case "string": return { value: text };
    case "int": return /^[-+]?\d+$/.test(text.trim()) && Number.isSafeInteger(Number(text)) ? { value: Number(text) } : { fault: "int" };
    case "float": return Number.isFinite(Number(text)) ? { value: Number(text) } : { fault: "float" };
    case "bool": return { value: text === "true" };
    case "date": return /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text)) ? { value: text } : { fault: "date" };
    case "datetime": return Number.isNaN(Date.parse(text)) ? { fault: "datetime" } : { value: text };
    case "list": return json(text, "list", Array.isArray);
    case "table": return json(text, "table", (value) => typeof value === "object" && value !== null && !Array.isArray(value));
    case "any": {
      const found = json(text, "table", () => true);
      return "fault" in found ? { value: text } : found;
    }
  }
}

function json(text: string, fault: Fault, fits: (value: unknown) => boolean): { value: unknown } | { fault: Fault } {
  try {
    const value: unknown = JSON.parse(text);
    return fits(value) ? { value } : { fault };
  } catch {
    return { fault };
  }
}

export function same(one: unknown, other: unknown): boolean {
  return Object.is(one, other) || JSON.stringify(one) === JSON.stringify(other);
}

export interface Outcome {
  body: Body;
  faults: Readonly<Record<string, Fault>>;
  changed: ReadonlySet<string>;
  /** Steps that will run, as things stand. */
  running: number;
  stepsChanged: number;
}

/** The body with only what differs, and what is wrong. */
export function outcomeOf(form: RunForm, draft: Draft): Outcome {
  const preset = presetOf(form, draft);
  const faults: Record<string, Fault> = {};
  const changed = new Set<string>();
  const take = (field: Field, step: string | null, into: (value: unknown) => void) => {
    const key = keyOf(field, step);
    const base = baseOf(field, step, preset);
    const typed = draft.values[key];
    if (typed === undefined && (base.has || !field.required)) return;
    const read = typeof typed === "boolean" ? { value: typed } : readText(field, typed ?? "", base);
    if (read === "as-it-is") return;
    if ("fault" in read) faults[key] = read.fault;
    else if (!base.has || !same(read.value, base.value)) {
      changed.add(key);
      into(read.value);
    }
  };

  const params: Record<string, unknown> = {};
  const own: Record<string, Record<string, unknown>> = {};
  const enabled: Record<string, boolean> = {};
  for (const field of form.fields) take(field, null, (value) => { params[field.name] = value; });
  let running = 0;
  for (const step of form.steps) {
    const usual = preset?.step_enabled[step.name] ?? step.enabled;
    const on = draft.steps[step.name] ?? usual;
    if (on !== usual) enabled[step.name] = on;
    if (on) running += 1;
    // What a step that stays off would need is not asked for.
    if (on) for (const field of step.fields) take(field, step.name, (value) => { (own[step.name] ??= {})[field.name] = value; });
  }
  const usualLevel = preset?.log_level ?? form.log_level;
  const body: Body = {
    ...(Object.keys(params).length > 0 && { params: params as NonNullable<Body["params"]> }),
    ...(Object.keys(own).length > 0 && { op_kwargs: own as NonNullable<Body["op_kwargs"]> }),
    ...(Object.keys(enabled).length > 0 && { step_enabled: enabled }),
    ...(draft.level !== null && draft.level !== usualLevel && { log_level: draft.level }),
    ...(preset !== null && { preset: preset.name }),
  };
  return { body, faults, changed, running, stepsChanged: Object.keys(enabled).length };
}
