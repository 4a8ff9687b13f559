/** Steps as the form shows them. */
import { isTable, valueAt } from "~/features/builder/paths";
import type { Draft } from "~/features/builder/session";
import type { IconName } from "~/ui/Icon";

export interface Step {
  /** As it runs: an unnamed step has the name that the server gives it. */
  name: string;
  named: boolean;
  type: string;
  enabled: boolean;
}

const ICONS: Readonly<Record<string, IconName>> = { http: "globe", sql_copy: "copydb", sql_query: "db", python: "code", call_job: "call" };

export function iconOf(type: string): IconName {
  return ICONS[type] ?? "code";
}

export function stepsOf(form: unknown, draft: Draft | null): readonly Step[] {
  const steps = valueAt(form, ["steps"]);
  if (!Array.isArray(steps)) return [];
  return steps.map((step: unknown, index): Step => {
    const table = isTable(step) ? step : {};
    const type = typeof table.type === "string" ? table.type : String(valueAt(form, ["step_defaults", "type"]) ?? "");
    const own = typeof table.name === "string" && table.name !== "" ? table.name : null;
    // Only if the server spoke of the same steps.
    const effective = valueAt(draft?.effective, ["steps"]);
    const given = Array.isArray(effective) && effective.length === steps.length ? valueAt(effective, [index, "name"]) : null;
    const guess = type === "python" && typeof table.callable === "string" ? (table.callable.split(":").at(-1) ?? "") : "";
    return { name: own ?? (typeof given === "string" ? given : guess || `${type}-${index + 1}`), named: own !== null, type, enabled: table.enabled !== false };
  });
}

/** A step to begin with: what must be there is there and empty, so that the form asks for it. */
export function freshStep(type: string, steps: readonly Step[]): Readonly<Record<string, unknown>> {
  const taken = new Set(steps.map((one) => one.name));
  const first = type.replace("_", "-");
  let name = first;
  for (let number = 2; taken.has(name); number++) name = `${first}-${number}`;
  switch (type) {
    case "sql_query": return { type, name, connector: "", query: "" };
    case "sql_copy": return { type, name, source: { connector: "", table: "" }, target: { connector: "", table: "" } };
    case "python": return { type, name, callable: "" };
    case "http": return { type, name, url: "https://" };
    case "call_job": return { type, name, target_job: "" };
    default: return { type, name };
  }
}

/** Where a step lies after a drag of so many pixels. */
export function placeAfter(from: number, moved: number, height: number, count: number): number {
  return Math.max(0, Math.min(count - 1, from + Math.round(moved / height)));
}
