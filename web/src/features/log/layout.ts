/** Which rows there are: a header for each step and for each of several tries, and the lines that are not folded or hidden. */
import { DEBUG, type Level, type Part, type Shape, type Try } from "~/features/log/shape";

export interface Block {
  kind: "step" | "try" | "lines";
  /** Of a header: by it the fold is known. */
  key: string;
  step: string | null;
  first: number;
  last: number;
  /** The first of its rows. */
  row: number;
  rows: number;
  open: boolean;
  try: Try | null;
}

export type Place = { block: Block; seq: number };

/** With more changes of step than this a log is shown flat. */
const MOST_FOLDS = 2000;

export interface Fold extends Part { key: string; tries: readonly Try[] }

/** The steps of a log, in order; what the run says in the middle of a step belongs to it. */
export function foldsOf(shape: Shape): Fold[] {
  if (shape.parts.length > MOST_FOLDS) return [];
  const folds: Fold[] = [];
  for (const { step, first, last } of shape.parts) {
    if (step === null) continue;
    const before = folds.at(-1);
    if (before !== undefined && before.step === step) before.last = last;
    else folds.push({ step, first, last, key: `s${first}`, tries: [] });
  }
  let from = 0;
  for (const fold of folds) {
    while (from < shape.tries.length && (shape.tries[from]?.seq ?? 0) < fold.first) from++;
    let to = from;
    while (to < shape.tries.length && (shape.tries[to]?.seq ?? 0) <= fold.last) to++;
    if (to - from > 1) fold.tries = shape.tries.slice(from, to);
    from = to;
  }
  return folds;
}

/** The folds that must be open for a line to be seen. */
export function around(folds: readonly Fold[], seq: number): string[] {
  const fold = folds.find((one) => one.first <= seq && seq <= one.last);
  const begun = fold?.tries.findLast((one) => one.seq <= seq);
  return [...(fold === undefined ? [] : [fold.key]), ...(begun === undefined ? [] : [`t${begun.seq}`])];
}

export class Layout {
  readonly blocks: Block[] = [];
  rows = 0;

  constructor(private readonly shape: Shape, closed: ReadonlySet<string>, readonly min: Level, readonly folds: readonly Fold[] = foldsOf(shape)) {
    let next = 1;
    for (const fold of folds) {
      this.lines(null, next, fold.first - 1);
      this.fold(fold, closed);
      next = fold.last + 1;
    }
    this.lines(null, next, shape.length);
  }

  private fold(fold: Fold, closed: ReadonlySet<string>): void {
    const open = !closed.has(fold.key);
    this.push({ kind: "step", key: fold.key, step: fold.step, first: fold.first, last: fold.last, rows: 1, open, try: null });
    if (!open) return;
    let next = fold.first;
    for (const [index, one] of fold.tries.entries()) {
      this.lines(fold.step, next, one.seq - 1);
      const last = (fold.tries[index + 1]?.seq ?? fold.last + 1) - 1;
      const key = `t${one.seq}`;
      const shown = !closed.has(key);
      this.push({ kind: "try", key, step: fold.step, first: one.seq, last, rows: 1, open: shown, try: one });
      if (shown) this.lines(fold.step, one.seq, last);
      next = last + 1;
    }
    this.lines(fold.step, next, fold.last);
  }

  private lines(step: string | null, first: number, last: number): void {
    if (last < first) return;
    const rows = this.min === DEBUG ? last - first + 1 : this.shape.count(first, last, this.min);
    if (rows > 0) this.push({ kind: "lines", key: "", step, first, last, rows, open: true, try: null });
  }

  private push(block: Omit<Block, "row">): void {
    this.blocks.push({ ...block, row: this.rows });
    this.rows += block.rows;
  }

  /** What stands in a row; `seq` is the line, or the first line below a header. */
  at(row: number): Place | null {
    const block = this.blocks[last(this.blocks, (one) => one.row <= row)];
    if (block === undefined || row >= this.rows) return null;
    if (block.kind !== "lines") return { block, seq: block.first };
    if (this.min === DEBUG) return { block, seq: block.first + row - block.row };
    return { block, seq: this.shape.nth(this.shape.countTo(block.first - 1, this.min) + 1 + row - block.row, this.min) };
  }

  /** The row of a line: its own, that of the fold it is in, or of the next line that is shown. */
  rowOf(seq: number): number {
    const index = last(this.blocks, (one) => one.first <= seq);
    const block = this.blocks[index];
    if (block === undefined) return 0;
    if (block.kind !== "lines") return block.row;
    const place = block.row + (this.min === DEBUG ? seq - block.first : this.shape.count(block.first, seq - 1, this.min));
    return Math.max(0, Math.min(place, this.rows - 1));
  }
}

/** Index of the last block for which `test` holds; they hold it from the first on. */
function last(blocks: readonly Block[], test: (block: Block) => boolean): number {
  let low = 0, high = blocks.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (test(blocks[middle] as Block)) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
