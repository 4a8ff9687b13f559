/**
 * What is known of every line before its text is read: level and step, one byte a line. It answers where a line stands
 * when some are hidden: how many lines of a level come before it, and which is the n-th of them.
 */
export const LEVELS = ["DEBUG", "INFO", "WARNING", "ERROR"] as const;
export const DEBUG = 0, INFO = 1, WARNING = 2, ERROR = 3;
/** An index into LEVELS; as a filter: this level and graver ones. */
export type Level = 0 | 1 | 2 | 3;

export interface Part { step: string | null; first: number; last: number }
export interface Try { seq: number; attempt: number; of: number }

/** Lines between two places where the counts so far are kept. */
const STRIDE = 1024;
const LETTERS: Readonly<Record<string, Level>> = { D: DEBUG, I: INFO, W: WARNING, E: ERROR };
const TRY = /^step .* · type=\S+ · try (\d+) of (\d+)$/;

export class Shape {
  length = 0;
  readonly parts: Part[] = [];
  readonly tries: Try[] = [];
  private levels = new Uint8Array(STRIDE * 4);
  /** For each stride and each level: lines of that level or graver before the stride. */
  private before = new Uint32Array(64);
  private readonly now = [0, 0, 0, 0];

  /** The next line. */
  add(level: Level, step: string | null): void {
    if (this.length === this.levels.length) this.levels = grown(this.levels, Uint8Array);
    this.levels[this.length++] = level;
    for (let at = 0; at <= level; at++) this.now[at] = (this.now[at] ?? 0) + 1;
    if (this.length % STRIDE === 0) {
      const place = (this.length / STRIDE) * 4;
      if (place + 4 > this.before.length) this.before = grown(this.before, Uint32Array);
      this.before.set(this.now, place);
    }
    const part = this.parts.at(-1);
    if (part !== undefined && part.step === step) part.last = this.length;
    else this.parts.push({ step, first: this.length, last: this.length });
  }

  /** An answer of the server that begins where this ends. */
  addAnswer(answer: { after: number; levels: string; parts: readonly { step: string | null; count: number }[]; tries: readonly Try[] }): void {
    let at = 0;
    for (const { step, count } of answer.parts) {
      for (const end = at + count; at < end; at++) {
        if (answer.after + at >= this.length) this.add(LETTERS[answer.levels.charAt(at)] ?? INFO, step);
      }
    }
    const known = this.tries.at(-1)?.seq ?? 0;
    this.tries.push(...answer.tries.filter((one) => one.seq > known));
  }

  addLine(line: { seq: number; level: string; logger: string; step: string | null; message: string }): void {
    this.add(levelOf(line.level), line.step);
    const begins = line.logger === "nomaflow" ? TRY.exec(line.message) : null;
    if (begins !== null) this.tries.push({ seq: line.seq, attempt: Number(begins[1]), of: Number(begins[2]) });
  }

  level(seq: number): Level {
    return (this.levels[seq - 1] ?? INFO) as Level;
  }

  /** Lines of `min` and graver in all. */
  total(min: Level): number {
    return this.now[min] ?? 0;
  }

  /** Lines of `min` and graver up to number `seq`. */
  countTo(seq: number, min: Level): number {
    const end = Math.max(0, Math.min(seq, this.length));
    if (min === DEBUG) return end;
    const stride = Math.floor(end / STRIDE);
    let count = this.before[stride * 4 + min] ?? 0;
    for (let at = stride * STRIDE; at < end; at++) if ((this.levels[at] ?? 0) >= min) count++;
    return count;
  }

  count(first: number, last: number, min: Level): number {
    return this.countTo(last, min) - this.countTo(first - 1, min);
  }

  /** The number of the n-th line (from 1) of `min` and graver; 0 if there are fewer. */
  nth(n: number, min: Level): number {
    if (n < 1 || n > this.total(min)) return 0;
    if (min === DEBUG) return n;
    let low = 0, high = Math.floor(this.length / STRIDE);
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.before[middle * 4 + min] ?? 0) < n) low = middle;
      else high = middle - 1;
    }
    let left = n - (this.before[low * 4 + min] ?? 0);
    for (let at = low * STRIDE; at < this.length; at++) {
      if ((this.levels[at] ?? 0) >= min && --left === 0) return at + 1;
    }
    return 0;
  }

  /** The nearest line of `min` or graver after `seq`, or before it; 0 for none. */
  next(seq: number, min: Level): number {
    return this.nth(this.countTo(seq, min) + 1, min);
  }
  previous(seq: number, min: Level): number {
    return this.nth(this.countTo(seq - 1, min), min);
  }
}

export function levelOf(name: string): Level {
  return LETTERS[name.charAt(0)] ?? INFO;
}

function grown<T extends Uint8Array | Uint32Array>(from: T, kind: new (length: number) => T): T {
  const made = new kind(from.length * 2);
  made.set(from);
  return made;
}
