/**
 * Times as people read them: relative in lists, absolute on hover, in the viewer's zone; the job's zone only where
 * its clock differs. Durations in the words of the design: 84 ms, 18 s, 2m 14s, 1 h 7 min.
 */
import { locale } from "~/lib/i18n";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export const viewerZone = Intl.DateTimeFormat().resolvedOptions().timeZone;

export function duration(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${String(seconds % 60).padStart(2, "0")}s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return `${Math.round(minutes / 1440)} d`;
}

/** "7 min ago", "in 9 h 22 min": how far `at` is from `now`. Beyond two days whole days are enough. */
export function relative(at: Date, now: Date): string {
  const away = at.getTime() - now.getTime();
  const size = Math.abs(away);
  const french = locale().startsWith("fr");
  if (size < 5000) return french ? "à l'instant" : "just now";
  const words = span(size, french);
  if (french) return away < 0 ? `il y a ${words}` : `dans ${words}`;
  return away < 0 ? `${words} ago` : `in ${words}`;
}

function span(size: number, french: boolean): string {
  if (size < MINUTE) return `${Math.round(size / 1000)} s`;
  const minutes = Math.round(size / MINUTE);
  if (minutes < 60) return `${minutes} min`;
  if (size < DAY) {
    const rest = minutes % 60;
    return rest === 0 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 60)} h ${rest} min`;
  }
  const days = Math.round(size / DAY);
  if (french) return days === 1 ? "1 jour" : `${days} jours`;
  return days === 1 ? "1 day" : `${days} days`;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function format(zone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${locale()} ${zone} ${JSON.stringify(options)}`;
  let found = formats.get(key);
  if (found === undefined) {
    found = new Intl.DateTimeFormat(locale(), { ...options, timeZone: zone });
    formats.set(key, found);
  }
  return found;
}

const FULL: Intl.DateTimeFormatOptions = {
  weekday: "short", day: "numeric", month: "short", year: "numeric",
  hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short",
};
const CLOCK: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit", second: "2-digit" };

export function absolute(at: Date, zone: string = viewerZone): string {
  return format(zone, FULL).format(at);
}

export function clock(at: Date, zone: string = viewerZone): string {
  return format(zone, CLOCK).format(at);
}

/** What a hover says: the viewer's clock, and the job's when it shows something else. */
export function hover(at: Date, jobZone?: string | null): string {
  const own = absolute(at);
  if (jobZone == null || clock(at, jobZone) === clock(at)) return own;
  return `${own}\n${absolute(at, jobZone)} (${jobZone})`;
}

/** How long until the words of `relative` change; lists tick no more often than that. */
export function nextTick(at: Date, now: Date): number {
  const size = Math.abs(at.getTime() - now.getTime());
  if (size < MINUTE) return 1000;
  return size < DAY ? MINUTE / 4 : HOUR;
}
