/**
 * One run's log in the browser: its shape as a whole, texts of what is looked at, live lines as they come. Everything
 * that happens within a moment is shown at once; React only draws what `view` says.
 */
import { around, Layout } from "~/features/log/layout";
import { Pages } from "~/features/log/pages";
import { askLines, askRun, askShape, type Step } from "~/features/log/requests";
import { Search } from "~/features/log/search";
import { DEBUG, ERROR, Shape, type Level } from "~/features/log/shape";
import { rowsOf, type View } from "~/features/log/view";
import { Viewport } from "~/features/log/viewport";
import { followRun, type LiveLine } from "~/lib/live";
import { store } from "~/lib/store";

/** Live lines are drawn at most this often. */
const DRAW_MS = 100;
/** Lines taken in at once, so that a burst is no long task. */
const LINES_AT_ONCE = 1500;
const STEPS_MS = 400;
const TEXTS_AT_ONCE = 200;
const AGAIN_MS = 2000;
const FINAL: readonly string[] = ["succeeded", "failed", "partial-success", "aborted", "skipped"];

export class LogModel {
  readonly shape = new Shape();
  readonly pages = new Pages();
  readonly search: Search;
  readonly viewport: Viewport;
  readonly view;
  layout: Layout;
  private closed = new Set<string>();
  private steps = new Map<string, Step>();
  private state = {
    phase: "loading" as View["phase"], job: "", status: "", error: null as unknown, all: 0, dropped: 0, running: false,
    min: DEBUG as Level, active: 0, from: 0, header: "",
  };
  private arrived: LiveLine[] = [];
  private drawing: ReturnType<typeof setTimeout> | undefined;
  private reading = false;
  private stopped = false;
  private absent = new Set<number>();

  constructor(readonly runId: string) {
    this.layout = new Layout(this.shape, this.closed, DEBUG);
    this.viewport = new Viewport(this.layout, () => this.draw());
    this.search = new Search(runId, this.shape, this.pages, () => this.draw());
    this.view = store<View>(this.look());
  }

  /** Read it and listen on; returns how to stop. `wanted` is a line to open at. */
  start(wanted: number, live: boolean): () => void {
    this.stopped = false;
    let stop = () => {};
    void this.open(wanted, live).then((unfollow) => {
      if (this.stopped) unfollow();
      else stop = unfollow;
    });
    return () => {
      this.stopped = true;
      clearTimeout(this.drawing);
      stop();
    };
  }

  private async open(wanted: number, live: boolean): Promise<() => void> {
    try {
      await Promise.all([this.readShape(), this.readSteps()]);
    } catch (error) {
      this.change({ phase: "failed", error });
      return () => {};
    }
    const going = [...this.steps.values()].some((step) => step.status !== "succeeded" && step.status !== "skipped");
    for (const fold of this.layout.folds) {
      const status = this.steps.get(fold.step ?? "")?.status;
      if (going && (status === "succeeded" || status === "skipped")) this.closed.add(fold.key);
    }
    this.relayout();
    this.state.phase = "ready";
    if (wanted > 0) this.goTo(Math.min(wanted, this.shape.length));
    else if (this.state.running) this.viewport.toEnd();
    else this.goTo(this.shape.next(0, ERROR));
    this.draw();
    if (!live && !this.state.running) return () => {};
    const again = () => void this.readSteps().then(() => this.draw(), () => {});
    let soon: ReturnType<typeof setTimeout> | undefined;
    const ended = () => {
      soon ??= setTimeout(() => ((soon = undefined), again()), STEPS_MS);
    };
    return followRun(this.runId, this.shape.length, {
      lines: (lines) => this.heard(lines),
      stepMoved: (step) => step.run_id === this.runId && ended(),
      runMoved: (run) => run.run_id === this.runId && ended(),
      again,
    });
  }

  private async readShape(): Promise<void> {
    let cursor: string | null = String(this.shape.length);
    while (cursor !== null && !this.stopped) {
      const answer: Awaited<ReturnType<typeof askShape>> = await askShape(this.runId, cursor);
      this.shape.addAnswer(answer);
      cursor = answer.next_cursor;
      this.change({ all: answer.last_seq, dropped: answer.dropped });
    }
    this.relayout();
  }

  private async readSteps(): Promise<void> {
    const run = await askRun(this.runId);
    this.steps = new Map(run.steps.map((step) => [step.name, step]));
    this.state.job = run.job;
    this.state.status = run.status;
    this.state.running = !FINAL.includes(run.status);
    this.state.dropped = run.log_dropped;
  }

  /** Live lines: collected, and shown together. What is known already is left out; a hole is read by REST. */
  private heard(lines: readonly LiveLine[]): void {
    this.arrived = this.arrived.concat(lines);
    this.drawing ??= setTimeout(() => {
      this.drawing = undefined;
      this.takeArrived();
      this.draw();
      if (this.arrived.length > 0) this.heard([]);
    }, DRAW_MS);
  }

  private takeArrived(): void {
    if (this.arrived.length === 0) return;
    const lines = this.arrived.slice(0, LINES_AT_ONCE);
    this.arrived = this.arrived.slice(LINES_AT_ONCE);
    const fresh: LiveLine[] = [];
    for (const line of lines) {
      if (line.seq > this.shape.length + 1) {
        void this.readShape().then(() => this.draw(), () => {});
        break;
      }
      if (line.seq <= this.shape.length) continue;
      this.shape.addLine(line);
      fresh.push(line);
    }
    this.pages.put(fresh);
    this.state.all = this.shape.length;
    this.search.heard(fresh);
    this.relayout();
  }

  private change(what: Partial<typeof this.state>): void {
    Object.assign(this.state, what);
    this.draw();
  }

  private relayout(): void {
    this.layout = new Layout(this.shape, this.closed, this.state.min);
    this.viewport.setLayout(this.layout);
  }

  draw(): void {
    if (this.stopped) return;
    this.view.set(this.look());
    void this.readTexts();
  }

  private look(): View {
    const { min, ...state } = this.state;
    const frame = this.viewport.frame();
    const rows = rowsOf(this.layout, frame, this.shape, this.pages, this.steps);
    const { text, matches, more, at, busy } = this.search;
    const activeAt = state.active > 0 ? this.viewport.placeOf(this.layout.rowOf(state.active)) : null;
    const counts = [this.shape.total(0), this.shape.total(1), this.shape.total(2), this.shape.total(3)] as const;
    return { ...state, min, known: this.shape.length, counts, follow: this.viewport.follow, activeAt, frame, rows, search: { text, count: matches.length, more, at, busy } };
  }

  /** Texts of the rows that are seen, one request at a time: while somebody scrolls, only where they are now counts. */
  private async readTexts(): Promise<void> {
    if (this.reading || this.state.phase !== "ready") return;
    const missing = this.view.get().rows.find((row) => row.kind === "line" && row.line === undefined && !this.absent.has(row.seq));
    if (missing === undefined || missing.kind !== "line") return;
    this.reading = true;
    try {
      const page = await askLines(this.runId, missing.seq - 1, TEXTS_AT_ONCE, this.state.min);
      this.pages.put(page.items);
      if (page.items[0]?.seq !== missing.seq) this.absent.add(missing.seq);
    } catch {
      // The line of the page says that the server is away; here the rows wait.
      await new Promise((done) => setTimeout(done, AGAIN_MS));
    }
    this.reading = false;
    this.draw();
  }

  // -- what somebody does

  setMin(min: Level): void {
    this.state.min = min;
    this.relayout();
    this.draw();
    if (this.search.text !== "") void this.find(this.search.text);
  }

  toggle(key: string, open = this.closed.has(key)): void {
    if (open) this.closed.delete(key);
    else this.closed.add(key);
    this.relayout();
    this.change({ header: key, active: 0, from: 0 });
  }

  /** A line into sight, its fold opened; it is the active one then. */
  goTo(seq: number): void {
    if (seq < 1) return;
    for (const key of around(this.layout.folds, seq)) this.closed.delete(key);
    this.relayout();
    this.viewport.show(seq, "third");
    this.change({ active: seq, from: seq, header: "" });
  }

  activate(seq: number, extend: boolean): void {
    this.change({ header: "", active: seq, from: extend && this.state.from > 0 ? this.state.from : seq });
  }

  /** The active row up or down. */
  move(by: number, extend: boolean): void {
    const { active, header } = this.state;
    const block = header === "" ? undefined : this.layout.blocks.find((one) => one.key === header);
    const now = block?.row ?? (active > 0 ? this.layout.rowOf(active) : this.viewport.firstRow - Math.sign(by));
    const row = Math.max(0, Math.min(this.layout.rows - 1, now + by));
    const place = this.layout.at(row);
    if (place === null) return;
    this.viewport.showRow(row, "least");
    if (place.block.kind !== "lines") this.change({ header: place.block.key, active: 0, from: 0 });
    else this.activate(place.seq, extend);
  }

  async find(text: string): Promise<void> {
    const from = this.state.active > 0 ? this.state.active : (this.layout.at(this.viewport.firstRow)?.seq ?? 1);
    await this.search.look(text, this.state.min, from).catch(() => {
      this.search.busy = false;
      this.draw();
    });
    if (this.search.text === text && this.search.line > 0) this.goTo(this.search.line);
  }

  error(direction: 1 | -1): void {
    const { active } = this.state;
    const found = direction === 1 ? this.shape.next(active, ERROR) : this.shape.previous(active || this.shape.length + 1, ERROR);
    this.goTo(found || this.shape.next(0, ERROR));
  }
}
