/** Lines that hold a text, folded ones too: in what is held if that is the whole log, else by the server. */
import type { Pages } from "~/features/log/pages";
import { askMatches } from "~/features/log/requests";
import { DEBUG, levelOf, type Level, type Shape } from "~/features/log/shape";
import type { LiveLine } from "~/lib/live";

const MOST_MATCHES = 5000;

export class Search {
  text = "";
  matches: number[] = [];
  /** Index of the match one is at; -1 before the first jump. */
  at = -1;
  busy = false;
  /** There are more than are listed. */
  more = false;
  private searchedTo = 0;
  private turn = 0;
  private min: Level = DEBUG;

  constructor(
    private readonly runId: string,
    private readonly shape: Shape,
    private readonly pages: Pages,
    private readonly changed: () => void,
  ) {}

  /** Resolves when all is found. `from` is the line from which on the first match is wanted. */
  async look(text: string, min: Level, from: number): Promise<void> {
    const turn = ++this.turn;
    Object.assign(this, { text, min, matches: [], at: -1, more: false, busy: text !== "", searchedTo: 0 });
    if (text === "") return this.changed();
    if (this.pages.held >= this.shape.length) this.take(this.pages.all());
    else await this.ask(turn);
    if (turn !== this.turn) return;
    // What came while the server was looking is still held.
    this.take(this.pages.all());
    this.busy = false;
    this.at = this.matches.length === 0 ? -1 : Math.max(0, this.matches.findIndex((seq) => seq >= from));
    this.changed();
  }

  private async ask(turn: number): Promise<void> {
    let cursor: string | null = "0";
    while (cursor !== null && !this.more) {
      const found: Awaited<ReturnType<typeof askMatches>> = await askMatches(this.runId, this.text, cursor, MOST_MATCHES, this.min);
      if (turn !== this.turn) return;
      this.matches = [...this.matches, ...found.lines].slice(0, MOST_MATCHES);
      this.searchedTo = found.searched_to;
      cursor = found.next_cursor;
      this.more = cursor !== null && this.matches.length >= MOST_MATCHES;
      this.changed();
    }
  }

  /** Lines that have just come. */
  heard(lines: readonly LiveLine[]): void {
    if (this.text !== "" && !this.busy) this.take(lines);
  }

  private take(lines: Iterable<LiveLine>): void {
    const wanted = this.text.toLowerCase();
    const found: number[] = [];
    for (const { seq, level, message } of lines) {
      if (seq <= this.searchedTo || levelOf(level) < this.min) continue;
      if (message.toLowerCase().includes(wanted)) found.push(seq);
    }
    this.searchedTo = this.shape.length;
    const all = [...this.matches, ...found];
    this.more ||= all.length > MOST_MATCHES;
    if (found.length > 0) this.matches = all.slice(0, MOST_MATCHES);
  }

  /** Moves to another match; its line, or 0. */
  step(by: 1 | -1): number {
    const count = this.matches.length;
    if (count === 0) return 0;
    this.at = (this.at + by + count) % count;
    return this.line;
  }

  get line(): number {
    return this.matches[this.at] ?? 0;
  }
}
