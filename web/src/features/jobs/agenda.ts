/** The next 24 hours as a picture: bars of connections needed, and labels that step aside for one another. Pure. */
import type { Load } from "~/features/jobs/queries";

export const HOUR_PX = 31;
export const DAY_PX = 24 * HOUR_PX;
const LABEL_PX = 34;
const MOST = Math.floor(DAY_PX / LABEL_PX);
const QUARTER = 15 * 60;

export interface Label {
  /** True place on the time scale, and where the label stands. */
  at: number;
  top: number;
  first: string;
  last: string;
  jobs: readonly string[];
  /** Of a single fire. */
  preset: string | null;
  expected: number | null;
  held: string | null;
}

export const place = (load: Load, at: string) => ((Date.parse(at) - Date.parse(load.since)) / 3_600_000) * HOUR_PX;

/** The most of each quarter of an hour. */
export function quarters(needed: readonly number[], slotSeconds: number): number[] {
  const together = Math.max(1, Math.round(QUARTER / slotSeconds));
  const found: number[] = [];
  for (let from = 0; from < needed.length; from += together) found.push(Math.max(...needed.slice(from, from + together)));
  return found;
}

/** A job that fires oftener than this in a day is told once, on top, and not at each of its fires. */
const OFTEN = 6;

/** Jobs that repeat: in the server's words, or how many times when it fires hourly or less often. */
export function rhythm(load: Load): { job: string; text: string | null; times: number }[] {
  const listed = load.repeating.map((one) => ({ job: one.job, text: one.text, times: one.fires }));
  const hourly = [...frequent(load)].map(([job, times]) => ({ job, text: null, times }));
  return [...listed, ...hourly].sort((one, other) => other.times - one.times);
}

function frequent(load: Load): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { job } of load.events) counts.set(job, (counts.get(job) ?? 0) + 1);
  return new Map([...counts].filter(([, count]) => count > OFTEN));
}

/** Fires of the same minute share a label; when there are too many, those that are near each other do, too. */
export function labels(load: Load): Label[] {
  const often = frequent(load);
  const events = load.events.filter((one) => !often.has(one.job)).sort((one, other) => Date.parse(one.at) - Date.parse(other.at));
  let reach = 60_000;
  let groups: (typeof events)[] = [];
  for (;;) {
    groups = [];
    for (const event of events) {
      const group = groups.at(-1);
      const begun = group?.[0];
      if (group !== undefined && begun !== undefined && Date.parse(event.at) - Date.parse(begun.at) < reach) group.push(event);
      else groups.push([event]);
    }
    if (groups.length <= MOST) break;
    reach *= 2;
  }
  const made = groups.flatMap((group): Label[] => {
    const [first] = group;
    const last = group.at(-1);
    if (first === undefined || last === undefined) return [];
    const at = place(load, first.at);
    const jobs = [...new Set(group.map((one) => one.job))];
    return [{
      at, top: at, first: first.at, last: last.at, jobs,
      preset: jobs.length === 1 ? first.preset : null,
      expected: jobs.length === 1 ? first.expected_ms : null,
      held: group.every((one) => one.held !== null) ? first.held : null,
    }];
  });
  return apart(made);
}

/** Pushed down until none covers another, then up again from the lower end. */
function apart(made: Label[]): Label[] {
  let free = 0;
  for (const label of made) {
    label.top = Math.max(label.top, free);
    free = label.top + LABEL_PX;
  }
  let end = DAY_PX - LABEL_PX / 2;
  for (const label of made.toReversed()) {
    label.top = Math.min(label.top, end);
    end = label.top - LABEL_PX;
  }
  return made;
}

/** Whole even hours of the viewer's clock with their place; midnight is named by its day. */
export function hours(load: Load, zone: string, locale: string): { at: number; text: string }[] {
  const clock = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", hour12: false, timeZone: zone });
  const day = new Intl.DateTimeFormat(locale, { weekday: "short", timeZone: zone });
  const found = [];
  const since = Date.parse(load.since);
  for (let at = Math.ceil(since / 3_600_000) * 3_600_000; at < since + 24 * 3_600_000; at += 3_600_000) {
    const date = new Date(at);
    const text = clock.format(date);
    const hour = Number(text.slice(0, 2)) % 24;
    const top = ((at - since) / 3_600_000) * HOUR_PX;
    if (hour % 2 === 0 && top > 14) found.push({ at: top, text: hour === 0 ? day.format(date) : text });
  }
  return found;
}
