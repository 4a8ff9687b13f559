/** The span of time on show: a day or a week of the viewer's calendar, clock changes included. Pure. */

export type View = "day" | "week" | "list";
export const VIEWS: readonly View[] = ["day", "week", "list"];

export interface Day {
  date: string;
  begin: number;
  end: number;
  /** 23 or 25 when the clock changes. */
  hours: number;
}

export interface Range {
  view: View;
  begin: number;
  end: number;
  days: readonly Day[];
}

export const HOUR = 3_600_000;

export function isoDate(at: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

/** Midnight at the beginning of a date; today's when it is none. */
function midnight(date: string | null, now: Date): Date {
  const [, year, month, day] = /^(\d{4})-(\d{2})-(\d{2})$/.exec(date ?? "") ?? [];
  if (year === undefined) return new Date(now.getFullYear(), now.getMonth(), now.getDate());
  return new Date(Number(year), Number(month) - 1, Number(day));
}

function plus(at: Date, days: number): Date {
  return new Date(at.getFullYear(), at.getMonth(), at.getDate() + days);
}

export function rangeOf(view: View, date: string | null, now: Date): Range {
  const chosen = midnight(date, now);
  const first = view === "day" ? chosen : plus(chosen, -((chosen.getDay() + 6) % 7));
  const days = Array.from({ length: view === "day" ? 1 : 7 }, (_, index): Day => {
    const begin = plus(first, index);
    const end = plus(first, index + 1);
    return { date: isoDate(begin), begin: begin.getTime(), end: end.getTime(), hours: Math.round((end.getTime() - begin.getTime()) / HOUR) };
  });
  return { view, begin: first.getTime(), end: days.at(-1)?.end ?? first.getTime(), days };
}

/** The date to show after going back or forth by one day or week. */
export function stepped(range: Range, by: -1 | 1): string {
  return isoDate(plus(new Date(range.begin), by * range.days.length));
}

export function isIn(range: Range, at: number): boolean {
  return at >= range.begin && at < range.end;
}

/** 0 at the left edge, 1 at the right, cut at both. */
export function place(range: Range, at: number): number {
  return Math.max(0, Math.min(1, (at - range.begin) / (range.end - range.begin)));
}

/** Hours with a number on the axis: every sixth of a week, every second of a day. */
export function ticks(range: Range): readonly { at: number; text: string }[] {
  const every = range.view === "day" ? 2 : 6;
  return range.days.flatMap((day) =>
    Array.from({ length: day.hours }, (_, hour) => day.begin + hour * HOUR)
      .filter((at) => new Date(at).getHours() % every === 0 && at !== day.begin)
      .map((at) => ({ at, text: String(new Date(at).getHours()).padStart(2, "0") })),
  );
}
