/** What is drawn of a log at one moment. */
import type { Block, Layout } from "~/features/log/layout";
import type { Pages } from "~/features/log/pages";
import type { Step } from "~/features/log/requests";
import { ERROR, WARNING, type Level, type Shape } from "~/features/log/shape";
import type { Frame } from "~/features/log/viewport";
import type { LiveLine } from "~/lib/live";

export interface LineRow { kind: "line"; row: number; seq: number; level: Level; line: LiveLine | undefined }
export interface HeaderRow { kind: "header"; row: number; block: Block; lines: number; warnings: number; errors: number; step: Step | undefined }
export type Row = LineRow | HeaderRow;

export interface View {
  phase: "loading" | "ready" | "failed";
  error: unknown;
  job: string;
  status: string;
  /** Lines known, and lines there are, while the log is being loaded. */
  known: number;
  all: number;
  counts: readonly [number, number, number, number];
  dropped: number;
  running: boolean;
  follow: boolean;
  min: Level;
  /** The line in focus, and the other end of a selection; or the key of a header in focus. */
  active: number;
  from: number;
  header: string;
  /** How far below the upper edge the active line is, while it is seen. */
  activeAt: number | null;
  frame: Frame;
  rows: readonly Row[];
  search: { text: string; count: number; more: boolean; at: number; busy: boolean };
}

export function rowsOf(layout: Layout, frame: Frame, shape: Shape, pages: Pages, steps: ReadonlyMap<string, Step>): Row[] {
  const rows: Row[] = [];
  for (let row = frame.first; row <= frame.last; row++) {
    const place = layout.at(row);
    if (place === null) break;
    const { block, seq } = place;
    if (block.kind === "lines") {
      pages.use(seq);
      rows.push({ kind: "line", row, seq, level: shape.level(seq), line: pages.get(seq) });
    } else {
      const count = (of: Level) => shape.count(block.first, block.last, of);
      const errors = count(ERROR);
      const step = steps.get(block.step ?? "");
      rows.push({ kind: "header", row, block, lines: count(layout.min), errors, warnings: count(WARNING) - errors, step });
    }
  }
  return rows;
}
