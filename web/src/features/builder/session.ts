/**
 * A definition while it is being edited: text and form are one thing. Outside of React, because typing must not wait
 * for it. The form shows its own changes at once; the server writes them into the text, and tells what is wrong.
 *
 *   type(text)       in the TOML pane          edit(change, …)   in the form          rebase(saved)   what is in the file now
 */
import type { Schemas } from "~/api/client";
import { applied, joined, type Change } from "~/features/builder/paths";

export type Draft = Schemas["DraftModel"];
/** What the file holds, as far as we know. */
export interface Base { text: string; revision: string; version: number | null; definition: unknown }
export interface Asked { toml: string; changes: readonly Change[] }

export interface Seen {
  text: string;
  /** The form's values, changes that the server has not written yet included; the last ones that could be read. */
  form: unknown;
  /** Of the last text that was checked. */
  draft: Draft | null;
  /** The text cannot be read: the form stands still until it can. */
  unreadable: boolean;
  /** Something is being written or checked. */
  busy: boolean;
  dirty: boolean;
  base: Base | null;
  /** Why the last change of the form was not taken, or why nothing answers. */
  refused: Error | null;
}

const FORM_MS = 120;
const TYPING_MS = 250;

export class DraftSession {
  private text: string;
  private draft: Draft | null;
  private readable: unknown;
  private base: Base | null;
  private sent: readonly Change[] = [];
  private waiting: readonly Change[] = [];
  private unchecked = false;
  private asking = false;
  private refused: Error | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly listeners = new Set<() => void>();
  private seen: Seen;

  constructor(
    private readonly ask: (asked: Asked) => Promise<Draft>,
    text: string,
    draft: Draft | null,
    base: Base | null,
  ) {
    this.text = text;
    this.draft = draft;
    this.readable = draft?.definition ?? null;
    this.base = base;
    this.seen = this.look();
    if (draft === null) this.soon(0);
  }

  readonly get = (): Seen => this.seen;
  readonly subscribe = (told: () => void): (() => void) => {
    this.listeners.add(told);
    return () => this.listeners.delete(told);
  };

  readonly edit = (...changes: readonly Change[]): void => {
    if (this.seen.unreadable) return;
    for (const change of changes) this.waiting = joined(this.waiting, change);
    this.refused = null;
    this.soon(FORM_MS);
  };

  readonly type = (text: string): void => {
    if (text === this.text) return;
    this.text = text;
    this.unchecked = true;
    this.refused = null;
    this.soon(TYPING_MS);
  };

  /** The file holds this now. `text` replaces ours; without it, ours stays and is compared with the file's. */
  rebase(base: Base, taken?: Draft): void {
    this.base = base;
    if (taken !== undefined) {
      this.text = taken.toml;
      this.draft = taken;
      this.readable = taken.definition ?? this.readable;
      this.waiting = [];
      this.unchecked = false;
    }
    this.tell();
  }

  /** Back to what the file holds. */
  readonly discard = (): void => {
    if (this.base === null) return;
    this.waiting = [];
    this.text = this.base.text;
    this.unchecked = true;
    this.refused = null;
    this.soon(0);
  };

  /** All that was done is in the text and checked. */
  async settled(): Promise<Seen> {
    clearTimeout(this.timer);
    await this.flush();
    while (this.seen.busy && this.refused === null) {
      await new Promise<void>((done) => {
        const stop = this.subscribe(() => {
          stop();
          done();
        });
      });
    }
    return this.seen;
  }

  readonly again = (): void => {
    this.refused = null;
    this.unchecked = true;
    this.soon(0);
  };

  private soon(ms: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.flush(), ms);
    this.tell();
  }

  private async flush(): Promise<void> {
    if (this.asking || !(this.unchecked || this.waiting.length > 0 || this.draft === null)) return;
    const toml = this.text;
    this.sent = this.waiting;
    this.waiting = [];
    this.asking = true;
    this.tell();
    try {
      const draft = await this.ask({ toml, changes: this.sent });
      if (this.text === toml) {
        this.text = draft.toml;
        this.draft = draft;
        this.readable = draft.definition ?? this.readable;
        this.unchecked = false;
      } else {
        // Typed meanwhile: the same changes once more, in the text as it is now.
        this.waiting = [...this.sent, ...this.waiting];
      }
    } catch (error) {
      this.refused = error instanceof Error ? error : new Error(String(error));
      if (this.text === toml) this.unchecked = false;
    } finally {
      this.sent = [];
      this.asking = false;
    }
    if (this.refused === null && (this.unchecked || this.waiting.length > 0)) this.soon(0);
    else this.tell();
  }

  private look(): Seen {
    const changes = [...this.sent, ...this.waiting];
    return {
      text: this.text,
      form: applied(this.readable, changes),
      draft: this.draft,
      unreadable: this.draft !== null && this.draft.definition === null,
      busy: this.asking || this.unchecked || changes.length > 0,
      dirty: this.base === null || this.text !== this.base.text || changes.length > 0,
      base: this.base,
      refused: this.refused,
    };
  }

  private tell(): void {
    this.seen = this.look();
    for (const told of [...this.listeners]) told();
  }
}

export function baseOf(definition: Schemas["DefinitionModel"]): Base {
  return { text: definition.toml, revision: definition.revision, version: definition.version, definition: definition.definition as unknown };
}
