/** The picture of a lane: one bar per instant, or per hour where there are several; one path per kind of mark. Pure. */
import type { Cell } from "~/features/schedule/lanes";
import { HOUR, place, type Range } from "~/features/schedule/range";

export const WIDTH = 1176;
export const HEIGHT = 34;
const FLOOR = 26;
const TALLEST = 18;
const SHORTEST = 4;
const PLANNED = 10;

export function barWidth(range: Range): number {
  return range.view === "day" ? 12 : 5;
}

/** Left edge of a cell's bar. One that stands for an hour begins with it, so that neighbours never overlap. */
export function cellX(range: Range, cell: Cell): number {
  const at = cell.count > 1 ? Math.floor(cell.at / HOUR) * HOUR : cell.at;
  return Math.min(WIDTH - barWidth(range), place(range, Math.max(at, range.begin)) * WIDTH);
}

function bar(x: number, top: number, width: number, bottom: number = FLOOR): string {
  return `M${x} ${top}h${width}v${bottom - top}h-${width}z`;
}

function hollow(x: number, tall: number, width: number): string {
  return `M${x + 0.5} ${FLOOR - 0.5}v-${tall}h${width - 1}v${tall}z`;
}

/** `usual`: what most of the lane's runs stay below, in milliseconds. */
function marks(cell: Cell, x: number, width: number, usual: number): readonly (readonly [string, string])[] {
  const share = cell.durationMs === null ? 0.4 : Math.min(1, cell.durationMs / usual);
  const tall = Math.round(SHORTEST + share * (TALLEST - SHORTEST));
  const top = FLOOR - tall;
  const rest = width / 2;
  switch (cell.outcome) {
    case "succeeded": return [["k-ok", bar(x, top, width)]];
    case "failed": return [["k-bad", bar(x, top, width) + bar(x, top - 5, width, top - 2)]];
    case "partial-success": {
      const split = FLOOR - Math.max(2, Math.round(tall / 2));
      return [["k-ok", bar(x, split, width)], ["k-part", bar(x, Math.min(top, split - 4), width, split - 1)]];
    }
    case "late": return [["k-ok", bar(x, top, width)], ["k-late", bar(x, FLOOR + 2, width, FLOOR + 5)]];
    case "caught up": return [["k-ok", bar(x, top, width)], ["k-late", `M${x} ${FLOOR + 6}l${rest} -4 ${rest} 4z`]];
    case "missed": return [["k-miss", hollow(x, TALLEST + 4, width)]];
    case "skipped": return [["k-skip", [2, 5, 8, 11].map((up) => bar(x, FLOOR - up, width, FLOOR - up + 1)).join("")]];
    case "aborted": return [["k-abort", `M${x} ${FLOOR}v-${tall}l${width} ${Math.min(5, tall - 1)}V${FLOOR}z`]];
    case "held": return [["k-hold", hollow(x, 4, width)]];
    case "planned": return [["k-fut", hollow(x, PLANNED, width)]];
    case "queued": return [["k-due", hollow(x, PLANNED, width)]];
    case "running":
    case "aborting": return [["k-run", bar(x, top, width) + bar(x, top - 3, width, top - 2) + bar(x, top - 6, width, top - 5)]];
  }
}

export function lanePaths(range: Range, cells: readonly Cell[]): Readonly<Record<string, string>> {
  const times = cells.flatMap((cell) => cell.durationMs ?? []).sort((one, other) => one - other);
  const usual = Math.max(1, times[Math.floor(times.length * 0.95)] ?? 1);
  const width = barWidth(range);
  const paths: Record<string, string> = {};
  for (const cell of cells) {
    const x = Math.round(cellX(range, cell) * 10) / 10;
    for (const [kind, path] of marks(cell, x, width, usual)) paths[kind] = (paths[kind] ?? "") + path;
  }
  return paths;
}

/** The cell under or nearest to a place (0 to 1) of the lane; null where none is near. */
export function hit(range: Range, cells: readonly Cell[], at: number): number | null {
  const reach = barWidth(range) + 6;
  let best: number | null = null;
  let away = reach;
  cells.forEach((cell, index) => {
    const off = Math.abs(cellX(range, cell) + barWidth(range) / 2 - at * WIDTH);
    if (off < away) [best, away] = [index, off];
  });
  return best;
}
