/** The texts that are held: at most 30,000 lines, those that were looked at last. */
import type { LiveLine } from "~/lib/live";

const PAGE = 256;
const MOST_LINES = 30_000;
const MOST_PAGES = 600;

export class Pages {
  held = 0;
  /** In the order in which they were last used. */
  private readonly pages = new Map<number, (LiveLine | undefined)[]>();

  get(seq: number): LiveLine | undefined {
    return this.pages.get(Math.floor(seq / PAGE))?.[seq % PAGE];
  }

  put(lines: readonly LiveLine[]): void {
    let number = -1;
    let page: (LiveLine | undefined)[] = [];
    for (const line of lines) {
      if (Math.floor(line.seq / PAGE) !== number) {
        number = Math.floor(line.seq / PAGE);
        page = this.touch(number) ?? new Array<LiveLine | undefined>(PAGE);
        this.pages.set(number, page);
      }
      if (page[line.seq % PAGE] === undefined) this.held++;
      page[line.seq % PAGE] = line;
    }
    for (const [oldest, lost] of this.pages) {
      if (this.held <= MOST_LINES && this.pages.size <= MOST_PAGES) break;
      this.pages.delete(oldest);
      this.held -= lost.reduce((count) => count + 1, 0); // holes are not visited
    }
  }

  /** Says that a line is being looked at. */
  use(seq: number): void {
    const number = Math.floor(seq / PAGE);
    const page = this.touch(number);
    if (page !== undefined) this.pages.set(number, page);
  }

  private touch(number: number): (LiveLine | undefined)[] | undefined {
    const page = this.pages.get(number);
    this.pages.delete(number);
    return page;
  }

  /** Every held line in order, for a search of a log that is held as a whole. */
  *all(): Generator<LiveLine> {
    for (const number of [...this.pages.keys()].sort((a, b) => a - b)) {
      for (const line of this.pages.get(number) ?? []) if (line !== undefined) yield line;
    }
  }
}
