/**
 * Which rows are in sight, and the rules of following: it stops when somebody scrolls up and goes on within 8 px of the
 * end. Whatever is added, folded or measured, the line that is being read stays where it is.
 */
import { Heights } from "~/features/log/heights";
import type { Layout } from "~/features/log/layout";

const NEAR_END = 8;
/** Rows drawn above and below what is seen. */
const SPARE = 6;
/** Browsers draw nothing beyond 17 to 33 million pixels; a longer log is scrolled at a larger scale. */
const MOST_PIXELS = 16_000_000;
export const HEADER_HEIGHTS = { step: 28, try: 24 } as const;

export interface Frame {
  first: number;
  last: number;
  /** Where the first of them is drawn, and how high all together are. */
  shift: number;
  spacer: number;
}

export class Viewport {
  follow = false;
  private readonly heights = new Heights();
  private top = 0;
  private height = 600;
  private box: HTMLElement | null = null;
  /** The scroll position that was last set or heard of. */
  private seen = 0;
  /** A line that was gone to: it stays in place until somebody scrolls. */
  private pinned: number | null = null;

  constructor(private layout: Layout, private readonly changed: () => void) {
    this.setLayout(layout);
  }

  attach(box: HTMLElement): () => void {
    this.box = box;
    const size = new ResizeObserver(() => {
      if (box.clientHeight === this.height || box.clientHeight === 0) return;
      this.height = box.clientHeight;
      this.changed();
    });
    size.observe(box);
    const onScroll = () => this.scrolled(box);
    box.addEventListener("scroll", onScroll, { passive: true });
    return () => {
      size.disconnect();
      box.removeEventListener("scroll", onScroll);
      this.box = null;
    };
  }

  frame(): Frame {
    this.clamp();
    const first = Math.max(0, this.heights.rowAt(this.top) - SPARE);
    const last = Math.min(this.layout.rows - 1, this.heights.rowAt(this.top + this.height) + SPARE);
    return { first, last, shift: this.heights.offset(first) - this.top + this.top / this.scale, spacer: this.spacer };
  }

  /** The first row that is seen. */
  get firstRow(): number {
    return this.heights.rowAt(this.top);
  }
  /** Where a row is, from the upper edge of what is seen; null when it is not seen as a whole. */
  placeOf(row: number): number | null {
    const at = this.heights.offset(row) - this.top;
    return at < 0 || at + 20 > this.height ? null : at;
  }
  get pageRows(): number {
    return Math.max(1, Math.floor(this.height / 20) - 2);
  }

  setLayout(next: Layout): void {
    const before = this.layout;
    const anchor = before.at(this.pinned === null ? this.firstRow : before.rowOf(this.pinned));
    const anchorRow = this.pinned === null ? this.firstRow : before.rowOf(this.pinned);
    const away = this.top - this.heights.offset(anchorRow);
    const grown = before !== next && isGrown(before, next);
    if (grown) this.heights.grow(next.rows);
    else this.heights.reset(next.rows);
    for (let at = grown ? before.blocks.length - 1 : 0; at < next.blocks.length; at++) {
      const block = next.blocks[at];
      if (block !== undefined && block.kind !== "lines") this.heights.set(block.row, HEADER_HEIGHTS[block.kind]);
    }
    this.layout = next;
    if (grown || anchor === null) return;
    const header = anchor.block.kind === "lines" ? undefined : next.blocks.find((one) => one.key === anchor.block.key);
    this.top = this.heights.offset(header?.row ?? next.rowOf(anchor.seq)) + away;
  }

  /** Heights of drawn rows, as the browser made them. */
  measured(rows: readonly (readonly [row: number, height: number])[]): void {
    const anchor = this.pinned === null ? this.firstRow : this.layout.rowOf(this.pinned);
    const before = this.heights.offset(anchor);
    let any = false;
    for (const [row, height] of rows) any = this.heights.set(row, height) || any;
    if (!any) return;
    this.top += this.heights.offset(anchor) - before;
    this.changed();
  }

  /** Everything is measured anew: the width or the wrapping of lines has changed. */
  remeasure(): void {
    const anchor = this.layout.at(this.firstRow);
    this.heights.reset(0);
    this.setLayout(this.layout);
    if (anchor !== null) this.top = this.heights.offset(this.layout.rowOf(anchor.seq));
    this.changed();
  }

  /** After drawing: the scroll bar where it belongs. */
  settle(): void {
    const { box } = this;
    if (box === null) return;
    this.clamp();
    const wanted = this.top / this.scale;
    if (Math.abs(box.scrollTop - wanted) > 0.5) box.scrollTop = wanted;
    this.seen = box.scrollTop;
  }

  /** A line into sight: in the upper third, or only as far as needed. */
  show(seq: number, how: "third" | "least"): void {
    const row = this.layout.rowOf(seq);
    this.showRow(row, how);
    if (how === "third") this.pinned = seq;
  }

  showRow(row: number, how: "third" | "least"): void {
    const at = this.heights.offset(row);
    const end = at + this.heights.of(row);
    this.follow = false;
    this.pinned = null;
    if (how === "third") this.top = at - this.height / 3;
    else if (at < this.top) this.top = at;
    else if (end > this.top + this.height) this.top = end - this.height;
    this.changed();
  }

  toEnd(): void {
    this.follow = true;
    this.pinned = null;
    this.changed();
  }

  /** Stop following, and stay. */
  hold(): void {
    this.follow = false;
    this.changed();
  }

  private scrolled(box: HTMLElement): void {
    const moved = box.scrollTop - this.seen;
    if (Math.abs(moved) < 1) return;
    this.seen = box.scrollTop;
    this.pinned = null;
    this.top = box.scrollTop * this.scale;
    if (box.scrollHeight - box.clientHeight - box.scrollTop <= NEAR_END) this.follow = true;
    else if (moved < 0) this.follow = false;
    this.changed();
  }

  private get spacer(): number {
    return Math.min(this.heights.total, MOST_PIXELS);
  }
  private get scale(): number {
    const room = this.spacer - this.height;
    return room <= 0 || this.heights.total <= MOST_PIXELS ? 1 : (this.heights.total - this.height) / room;
  }
  private clamp(): void {
    const end = Math.max(0, this.heights.total - this.height);
    this.top = this.follow ? end : Math.max(0, Math.min(this.top, end));
  }
}

/** Is it the same layout with more at the end? */
function isGrown(before: Layout, next: Layout): boolean {
  if (before.min !== next.min || before.blocks.length === 0 || before.blocks.length > next.blocks.length) return false;
  return before.blocks.every((one, index) => {
    const other = next.blocks[index];
    if (other === undefined || other.row !== one.row || other.key !== one.key || other.kind !== one.kind) return false;
    return index === before.blocks.length - 1 ? other.rows >= one.rows : other.rows === one.rows;
  });
}
