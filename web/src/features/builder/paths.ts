/** Places in a definition, and what changes of it come to: the same four verbs as the server's, so the form need not wait. */
import type { Schemas } from "~/api/client";

export type Path = readonly (string | number)[];
export interface Change {
  op: "set" | "remove" | "insert" | "move";
  path: Path;
  value?: unknown;
  to?: number;
}
export type Problem = Schemas["DraftProblemModel"];

export function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What stands there; undefined for nothing. */
export function valueAt(definition: unknown, path: Path): unknown {
  let found = definition;
  for (const part of path) {
    if (Array.isArray(found) && typeof part === "number") found = found[part] as unknown;
    else if (isTable(found) && typeof part === "string") found = found[part];
    else return undefined;
  }
  return found;
}

/** The definition after the changes. A change that leads nowhere is left out, as the server will say so itself. */
export function applied(definition: unknown, changes: readonly Change[]): unknown {
  return changes.reduce((found, change) => one(found, change.path, change), definition);
}

function one(within: unknown, path: Path, change: Change): unknown {
  const [part, ...rest] = path;
  if (part === undefined) return within;
  if (typeof part === "number") {
    if (!Array.isArray(within)) return within;
    if (rest.length > 0) return within.map((item: unknown, index) => (index === part ? one(item, rest, change) : item));
    const list = [...(within as unknown[])];
    if (change.op === "set") list[part] = change.value;
    if (change.op === "remove") list.splice(part, 1);
    if (change.op === "insert") list.splice(part, 0, change.value);
    if (change.op === "move") list.splice(change.to ?? part, 0, ...list.splice(part, 1));
    return list;
  }
  const table = isTable(within) ? within : {};
  if (rest.length > 0) {
    if (change.op !== "set" && !(part in table)) return within;
    return { ...table, [part]: one(table[part], rest, change) };
  }
  if (change.op === "set") return { ...table, [part]: change.value };
  if (change.op === "remove") return Object.fromEntries(Object.entries(table).filter(([key]) => key !== part));
  return within;
}

/** A row of changes with the ones that a later one makes needless left out: typing sets the same key again and again. */
export function joined(before: readonly Change[], change: Change): readonly Change[] {
  const last = before.at(-1);
  const again = last?.op === "set" && (change.op === "set" || change.op === "remove") && same(last.path, change.path);
  return [...(again && typeof change.path.at(-1) === "string" ? before.slice(0, -1) : before), change];
}

export function same(one: Path, other: Path): boolean {
  return one.length === other.length && one.every((part, index) => part === other[index]);
}

export function isBelow(path: Path, above: Path): boolean {
  return path.length >= above.length && above.every((part, index) => part === path[index]);
}

/** What is said about a place: about it alone, or about everything in it. */
export function problemsAt(problems: readonly Problem[], path: Path, deep = false): readonly Problem[] {
  return problems.filter((one) => (deep ? isBelow(one.path, path) : same(one.path, path)));
}

export interface KeyChange { key: string; before: unknown; after: unknown }

/** Key by key, what differs: for a conflict. Lists of tables are compared by their place. */
export function differences(before: unknown, after: unknown, key = ""): readonly KeyChange[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  const lists = Array.isArray(before) && Array.isArray(after) && [...before, ...after].some(isTable);
  if (!lists && !(isTable(before) && isTable(after))) return [{ key, before, after }];
  const [old, now] = [before as Record<string, unknown>, after as Record<string, unknown>];
  return [...new Set([...Object.keys(old), ...Object.keys(now)])].flatMap((part) =>
    differences(old[part], now[part], lists ? `${key}[${part}]` : key === "" ? part : `${key}.${part}`),
  );
}
