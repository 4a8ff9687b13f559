/** Times and outcomes in words, as several parts of this page say them. */
import { STATUS, type Cell, type Outcome } from "~/features/schedule/lanes";
import type { Range } from "~/features/schedule/range";
import { locale } from "~/lib/i18n";

export function hourMinute(at: number): string {
  return new Date(at).toLocaleTimeString(locale(), { hour: "2-digit", minute: "2-digit" });
}

export function dayName(at: number, look: "short" | "long" = "short"): string {
  return new Date(at).toLocaleDateString(locale(), { weekday: look === "short" ? "short" : "long", day: "numeric", ...(look === "long" && { month: "long" }) });
}

export function rangeName(range: Range): string {
  const options: Intl.DateTimeFormatOptions = { day: "numeric", month: "short", year: "numeric" };
  const words = new Intl.DateTimeFormat(locale(), range.days.length === 1 ? { ...options, weekday: "long", month: "long" } : options);
  const last = range.days.at(-1)?.begin ?? range.begin;
  return range.days.length === 1 ? words.format(range.begin) : words.formatRange(range.begin, last);
}

/** How long something lasts, in minutes: 45 min, 8 h, 1 h 7 min. */
export function lasting(ms: number): string {
  const minutes = Math.max(1, Math.round(ms / 60_000));
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  return hours === 0 ? `${rest} min` : rest === 0 ? `${hours} h` : `${hours} h ${rest} min`;
}

/** The status word of an outcome, as `<Status>` knows it. */
export function statusOf(outcome: Outcome): string {
  return STATUS[outcome] ?? outcome;
}

export function counted(cells: readonly Cell[]): readonly (readonly [Outcome, number])[] {
  const counts = new Map<Outcome, number>();
  for (const cell of cells) counts.set(cell.outcome, (counts.get(cell.outcome) ?? 0) + cell.ofThat);
  return [...counts];
}
