/** From the filter's words to what the API is asked: `status:failed,aborted job:greet trigger:cron user:alice last:30d text`. */
import type { paths } from "~/api/schema";
import type { Schemas } from "~/api/client";
import { base } from "~/lib/base";
import { print, type Word } from "~/lib/filter";

export type Run = Schemas["RunModel"];
export type Asked = Omit<NonNullable<paths["/admin/jobs/runs"]["get"]["parameters"]["query"]>, "limit" | "cursor" | "direction">;

export const STATUSES = ["queued", "running", "aborting", "succeeded", "failed", "partial-success", "aborted", "skipped"] as const;
export const FINAL: ReadonlySet<string> = new Set(["succeeded", "failed", "partial-success", "aborted", "skipped"]);
export const RANGES = { "24h": 1, "7d": 7, "30d": 30, all: null } as const;
export type Range = keyof typeof RANGES | "custom";
const DEFAULT: Range = "7d";
const DAY_MS = 86_400_000;

export interface Understood {
  asked: Asked;
  range: Range;
  /** Words that say nothing about runs, as they were typed. */
  ignored: readonly string[];
}

function one(words: readonly Word[], name: string): string | undefined {
  return words.find((word) => word.name === name && !word.not)?.values[0];
}

export function understand(words: readonly Word[], now: Date): Understood {
  const asked: Asked = {};
  const ignored: string[] = [];
  const free: string[] = [];
  for (const word of words) {
    const values = [...word.values];
    if (word.name === "status") {
      const named = values.map((value) => value.toLowerCase().replaceAll("_", "-"));
      asked.status = word.not ? STATUSES.filter((status) => !named.includes(status)) : named;
    } else if (word.not) ignored.push(print([word]));
    else if (word.name === "job") asked.job = values;
    else if (word.name === "trigger") asked.trigger = values;
    else if (word.name === "user") asked.user = values[0] ?? null;
    else if (word.name === "from") asked.from = values[0] ?? null;
    else if (word.name === "to") asked.to = values[0] ?? null;
    else if (word.name === "") free.push(values.join(","));
    else if (word.name !== "last" || !(values[0] !== undefined && values[0] in RANGES)) ignored.push(print([word]));
  }
  if (free.length > 0) asked.text = free.join(" ");
  const range = rangeOf(words);
  const days = range === "custom" ? null : RANGES[range];
  // Whole minutes: what is asked for stays the same while somebody reads.
  if (days !== null) asked.from = new Date(Math.floor((now.getTime() - days * DAY_MS) / 60_000) * 60_000).toISOString();
  return { asked, range, ignored };
}

export function rangeOf(words: readonly Word[]): Range {
  if (one(words, "from") !== undefined || one(words, "to") !== undefined) return "custom";
  const last = one(words, "last");
  return last !== undefined && last in RANGES ? (last as Range) : DEFAULT;
}

/** The words with another range; the usual one needs no word. */
export function withRange(words: readonly Word[], range: Range, from = "", to = ""): string {
  const rest = words.filter((word) => word.not || !["last", "from", "to"].includes(word.name));
  const word = (name: string, value: string): Word[] => (value === "" ? [] : [{ name, values: [value], not: false }]);
  if (range === "custom") return print([...word("from", from), ...word("to", to), ...rest]);
  return print(range === DEFAULT ? rest : [...word("last", range), ...rest]);
}

export function withStatus(words: readonly Word[], status: string | null): string {
  const rest = words.filter((word) => word.name !== "status");
  return print(status === null ? rest : [{ name: "status", values: [status], not: false }, ...rest]);
}

export function exportAddress(asked: Asked): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(asked)) {
    for (const text of Array.isArray(value) ? value : [value]) if (text != null) query.append(name, String(text));
  }
  return `${base}/admin/jobs/runs/export?${query.toString()}`;
}

/** The person behind a run, when there is one: "user:alice" → "alice". */
export function who(run: Pick<Run, "triggered_by">): string | null {
  const [kind, ...name] = run.triggered_by.split(":");
  return kind === "user" && name.length > 0 ? name.join(":") : null;
}
