/** From the API's calendar to lanes of cells, and what the page counts about them. The only place that reads the wire. */
import { queryOptions } from "@tanstack/react-query";

import { api, ok, type Schemas } from "~/api/client";
import { HOUR, type Range } from "~/features/schedule/range";
import { passes, type Word } from "~/lib/filter";

export type Outcome = Schemas["PastCellModel"]["outcome"] | "planned";
export type Band = Schemas["BandModel"];
type Coming = Schemas["ComingCellModel"];

export interface Cell {
  at: number;
  outcome: Outcome;
  /** Instants of the hour, and how many of them had this outcome. */
  count: number;
  ofThat: number;
  durationMs: number | null;
  runId: string | null;
  /** Of what is to come: it would be held back, and the job fires again in the hour (how often is not told). */
  held: Coming["held"];
  several: boolean;
}

export interface Lane {
  job: string;
  app: string;
  tags: readonly string[];
  text: string;
  timezone: string | null;
  cells: readonly Cell[];
}

export interface Calendar extends Omit<Schemas["LanesModel"], "lanes" | "next_cursor"> {
  lanes: readonly Lane[];
  /** More jobs have a schedule than are shown. */
  cut: boolean;
}

/** Outcomes in the words of the status map. */
export const STATUS: Readonly<Partial<Record<Outcome, string>>> = {
  late: "ran-late", "caught up": "caught-up", queued: "due", planned: "scheduled",
};
export const ORDER: readonly Outcome[] = [
  "succeeded", "failed", "partial-success", "late", "caught up", "missed", "skipped", "aborted", "held", "running", "queued",
];

const PAGES = 5;

function laneOf(lane: Schemas["LaneModel"], range: Range): Lane {
  const past = lane.past.map((cell): Cell => ({
    at: Date.parse(cell.at), outcome: cell.outcome, count: cell.count, ofThat: cell.of_that,
    durationMs: cell.duration_ms, runId: cell.run_id, held: null, several: false,
  }));
  const coming = lane.coming.map((cell): Cell => ({
    at: Date.parse(cell.at), outcome: cell.held === null ? "planned" : "held", count: cell.several ? 2 : 1, ofThat: 1,
    durationMs: null, runId: null, held: cell.held, several: cell.several,
  }));
  return { job: lane.job, app: lane.app, tags: lane.tags, text: lane.text, timezone: lane.timezone, cells: [...past, ...coming].filter((cell) => cell.at >= range.begin && cell.at < range.end) };
}

export const calendarQuery = (range: Range) =>
  queryOptions({
    queryKey: ["calendar", range.begin, range.end],
    staleTime: 15_000,
    refetchInterval: 60_000,
    queryFn: async (): Promise<Calendar> => {
      const span = { from: new Date(range.begin).toISOString(), to: new Date(range.end).toISOString() };
      let answer = await ok(api.GET("/admin/overview/calendar", { params: { query: span } }));
      const lanes = answer.lanes.map((lane) => laneOf(lane, range));
      const counts = { ...answer.counts };
      for (let page = 1; page < PAGES && answer.next_cursor !== null; page++) {
        answer = await ok(api.GET("/admin/overview/calendar", { params: { query: { ...span, cursor: answer.next_cursor } } }));
        lanes.push(...answer.lanes.map((lane) => laneOf(lane, range)));
        for (const [outcome, count] of Object.entries(answer.counts)) counts[outcome] = (counts[outcome] ?? 0) + count;
      }
      return { ...answer, counts, lanes, cut: answer.next_cursor !== null };
    },
  });

export type Foreseen = Schemas["CalendarModel"];

/** Every instant to come in the range, with what it will meet. */
export const foreseenQuery = (range: Range, now: number) => {
  const begin = Math.max(range.begin, Math.floor(now / HOUR) * HOUR);
  return queryOptions({
    queryKey: ["foreseen", begin, range.end],
    staleTime: 5 * 60_000,
    enabled: range.end > now,
    queryFn: () =>
      ok(api.GET("/admin/jobs/schedule", {
        params: { query: { from: new Date(begin).toISOString(), to: new Date(range.end).toISOString() } },
      })),
  });
};

/** What the filter finds under a name; null: it knows no such name. */
export function readLane(lane: Lane): (name: string) => readonly string[] | null {
  return (name) => {
    switch (name) {
      case "": return [lane.job, lane.app, ...lane.tags];
      case "job": return [lane.job];
      case "app": return [lane.app];
      case "tag": return lane.tags;
      case "verdict": return [...new Set(lane.cells.map((cell) => cell.outcome.replace(" ", "-")))];
      default: return null;
    }
  };
}

export function shownLanes(lanes: readonly Lane[], words: readonly Word[]): readonly Lane[] {
  return lanes.filter((lane) => passes(words, readLane(lane)));
}

/** How many instants each hour of the range has: those judged, and those to come. */
export function perHour(range: Range, lanes: readonly Lane[], foreseen: Foreseen | undefined, now: number) {
  const hours = Math.ceil((range.end - range.begin) / HOUR);
  const past = new Array<number>(hours).fill(0);
  const coming = new Array<number>(hours).fill(0);
  const add = (to: number[], at: number, count: number) => {
    const hour = Math.floor((at - range.begin) / HOUR);
    if (hour >= 0 && hour < hours) to[hour] = (to[hour] ?? 0) + count;
  };
  for (const lane of lanes) {
    for (const cell of lane.cells) if (cell.runId !== null) add(past, cell.at, cell.count);
  }
  const names = new Set(lanes.map((lane) => lane.job));
  for (const item of foreseen?.items ?? []) {
    const at = Date.parse(item.at);
    if (at >= now && names.has(item.job)) add(coming, at, 1);
  }
  return { past, coming };
}

/** The worst cell of a few, as a day's mark on phones shows it. */
export function worst(cells: readonly Cell[]): Outcome | null {
  const loud: readonly Outcome[] = ["missed", "failed", "partial-success", "aborted", "caught up", "late"];
  return loud.find((outcome) => cells.some((cell) => cell.outcome === outcome)) ?? null;
}
