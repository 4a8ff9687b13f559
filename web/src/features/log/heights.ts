/** Heights of a million rows that are nearly all 20 px: what a row has more is kept, and sums of 256 rows each. */
export const LINE_HEIGHT = 20;
const GROUP = 256;

export class Heights {
  rows = 0;
  private more = new Uint32Array(GROUP);
  private sums = new Float64Array(1);
  private extra = 0;

  get total(): number {
    return this.rows * LINE_HEIGHT + this.extra;
  }

  reset(rows: number): void {
    this.rows = rows;
    this.extra = 0;
    const groups = Math.max(1, Math.ceil(rows / GROUP));
    this.more = new Uint32Array(groups * GROUP);
    this.sums = new Float64Array(groups);
  }

  /** More rows at the end. */
  grow(rows: number): void {
    if (rows > this.more.length) {
      const groups = Math.max(Math.ceil(rows / GROUP), this.sums.length * 2);
      const more = new Uint32Array(groups * GROUP);
      more.set(this.more);
      const sums = new Float64Array(groups);
      sums.set(this.sums);
      this.more = more;
      this.sums = sums;
    }
    this.rows = rows;
  }

  of(row: number): number {
    return LINE_HEIGHT + (this.more[row] ?? 0);
  }

  /** True when it was another one. */
  set(row: number, height: number): boolean {
    const more = Math.max(0, Math.round(height) - LINE_HEIGHT);
    const change = more - (this.more[row] ?? 0);
    if (change === 0 || row >= this.rows) return false;
    const group = Math.floor(row / GROUP);
    this.more[row] = more;
    this.sums[group] = (this.sums[group] ?? 0) + change;
    this.extra += change;
    return true;
  }

  /** Pixels above a row. */
  offset(row: number): number {
    const end = Math.max(0, Math.min(row, this.rows));
    const group = Math.floor(end / GROUP);
    let above = end * LINE_HEIGHT;
    for (let at = 0; at < group; at++) above += this.sums[at] ?? 0;
    for (let at = group * GROUP; at < end; at++) above += this.more[at] ?? 0;
    return above;
  }

  /** The row that covers a pixel. */
  rowAt(pixel: number): number {
    let left = Math.max(0, pixel);
    let row = 0;
    for (let group = 0; row + GROUP < this.rows; group++, row += GROUP) {
      const height = GROUP * LINE_HEIGHT + (this.sums[group] ?? 0);
      if (left < height) break;
      left -= height;
    }
    while (row < this.rows - 1 && left >= this.of(row)) left -= this.of(row++);
    return row;
  }
}
