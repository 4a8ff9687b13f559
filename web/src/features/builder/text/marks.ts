/** What is drawn over the TOML: the lines of the chosen step, and each problem at its line with its fix. */
import { StateEffect, StateField, type EditorState, type Extension, type Range } from "@codemirror/state";
import { Decoration, EditorView, WidgetType, type DecorationSet } from "@codemirror/view";

import type { Fix, Lines } from "~/features/builder/text/tomlText";

export interface Note { line: number; message: string; tone: "bad" | "warn"; fix: Fix | null; fixLabel: string }
export interface Marks { tint: Lines | null; notes: readonly Note[] }

const SVG = "http://www.w3.org/2000/svg";
const SHAPES = {
  bad: "M5.1 1h5.8L15 5.1v5.8L10.9 15H5.1L1 10.9V5.1L5.1 1Zm.6 3.6L4.6 5.7 6.9 8l-2.3 2.3 1.1 1.1L8 9.1l2.3 2.3 1.1-1.1L9.1 8l2.3-2.3-1.1-1.1L8 6.9 5.7 4.6Z",
  warn: "M8 1.6 15 14H1Zm-.9 5v3.2h1.8V6.600Zm0 4.400v1.600h1.8v-1.600Z",
};

export const setMarks = StateEffect.define<Marks>();

class NoteWidget extends WidgetType {
  constructor(private readonly note: Note) {
    super();
  }
  override eq(other: NoteWidget): boolean {
    return JSON.stringify(other.note) === JSON.stringify(this.note);
  }
  override toDOM(view: EditorView): HTMLElement {
    const { tone, message, fix, fixLabel } = this.note;
    const line = document.createElement("div");
    line.className = `tl-note ${tone}`;
    const icon = document.createElementNS(SVG, "svg");
    icon.setAttribute("viewBox", "0 0 16 16");
    icon.setAttribute("aria-hidden", "true");
    const shape = document.createElementNS(SVG, "path");
    shape.setAttribute("d", SHAPES[tone]);
    shape.setAttribute("fill-rule", "evenodd");
    shape.setAttribute("fill", "currentColor");
    icon.append(shape);
    const text = document.createElement("span");
    text.textContent = message;
    line.append(icon, text);
    if (fix !== null) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "btn small";
      button.textContent = fixLabel;
      button.addEventListener("click", () => view.dispatch({ changes: { from: fix.from, to: fix.to, insert: fix.insert } }));
      line.append(button);
    }
    return line;
  }
  override ignoreEvent(): boolean {
    return true;
  }
}

function drawn(state: EditorState, { tint, notes }: Marks): DecorationSet {
  const ranges: Range<Decoration>[] = [];
  const last = state.doc.lines;
  if (tint !== null) {
    for (let line = tint.from; line <= Math.min(tint.to, last); line++) {
      ranges.push(Decoration.line({ class: "tl-in" }).range(state.doc.line(line).from));
    }
  }
  for (const note of notes) {
    if (note.line < 1 || note.line > last) continue;
    const line = state.doc.line(note.line);
    ranges.push(Decoration.line({ class: `tl-${note.tone}` }).range(line.from));
    ranges.push(Decoration.widget({ widget: new NoteWidget(note), block: true, side: 1 }).range(line.to));
  }
  return Decoration.set(ranges, true);
}

const field = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(shown, transaction) {
    let next = shown.map(transaction.changes);
    for (const effect of transaction.effects) if (effect.is(setMarks)) next = drawn(transaction.state, effect.value);
    return next;
  },
  provide: (self) => EditorView.decorations.from(self),
});

export const marks: Extension = field;
