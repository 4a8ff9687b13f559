/** Values of params as text in a field and back, in the kind they had. Pure. */

export type Kind = "text" | "number" | "switch" | "json";

export function kindOf(value: unknown): Kind {
  if (typeof value === "boolean") return "switch";
  if (typeof value === "number") return "number";
  return typeof value === "string" ? "text" : "json";
}

export function written(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Null: it is no value of that kind. */
export function read(text: string, kind: Kind): { value: unknown } | null {
  if (kind === "text") return { value: text };
  if (kind === "switch") return { value: text === "true" };
  if (kind === "number") {
    const value = Number(text);
    return text.trim() === "" || !Number.isFinite(value) ? null : { value };
  }
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return null;
  }
}

/** Only what differs is sent; `wrong` names the fields that cannot be read. */
export function changedParams(before: Readonly<Record<string, unknown>>, fields: Readonly<Record<string, string>>) {
  const params: Record<string, unknown> = {};
  const wrong: string[] = [];
  for (const [name, value] of Object.entries(before)) {
    const text = fields[name];
    if (text === undefined || text === written(value)) continue;
    const found = read(text, kindOf(value));
    if (found === null) wrong.push(name);
    else params[name] = found.value;
  }
  return { params, wrong };
}
