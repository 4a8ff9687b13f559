/** The text of the job: line numbers as in the file, problems at their line, the chosen step tinted. Loaded when needed. */
import { EditorState } from "@codemirror/state";
import { drawSelection, EditorView, lineNumbers } from "@codemirror/view";
import { useEffect, useRef } from "react";

import { common, fromOutside, named, replaceText, toml } from "~/features/builder/text/codemirror";
import { marks, setMarks, type Marks } from "~/features/builder/text/marks";

/** A line to bring into sight; a new object asks again. */
export interface Goal { line: number; focus: boolean }

const ABOVE_PX = 40;

interface Props {
  value: string;
  label: string;
  /** The number of the first line in its file. */
  firstLine: number;
  readOnly: boolean;
  shown: Marks;
  goal: Goal | null;
  jump: Goal | null;
  onChange: (text: string) => void;
  onLine: (line: number) => void;
}

export default function TomlEditor({ value, label, firstLine, readOnly, shown, goal, jump, onChange, onLine }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const told = useRef({ onChange, onLine, value });
  useEffect(() => {
    told.current = { onChange, onLine, value };
  });

  useEffect(() => {
    if (host.current === null) return;
    const made = new EditorView({
      parent: host.current,
      state: EditorState.create({
        doc: told.current.value,
        extensions: [
          lineNumbers({ formatNumber: (line) => String(line + firstLine - 1) }),
          drawSelection(),
          common(),
          named({ "aria-label": label }, readOnly),
          toml,
          marks,
          EditorView.updateListener.of((update) => {
            const ours = update.transactions.some((one) => one.docChanged && one.annotation(fromOutside) !== true);
            if (ours) told.current.onChange(update.state.doc.toString());
            const moved = update.selectionSet && update.transactions.some((one) => one.isUserEvent("select"));
            if (ours || moved) told.current.onLine(update.state.doc.lineAt(update.state.selection.main.head).number);
          }),
        ],
      }),
    });
    view.current = made;
    return () => {
      made.destroy();
      view.current = null;
    };
  }, [firstLine, label, readOnly]);

  useEffect(() => {
    if (view.current !== null) replaceText(view.current, value);
  }, [value, firstLine, label, readOnly]);

  useEffect(() => {
    view.current?.dispatch({ effects: setMarks.of(shown) });
  }, [shown, value, firstLine, label, readOnly]);

  useEffect(() => reveal(view.current, goal), [goal]);
  useEffect(() => reveal(view.current, jump), [jump]);

  return <div className="toml-cm" ref={host} />;
}

function reveal(view: EditorView | null, goal: Goal | null): void {
  if (view === null || goal === null || goal.line < 1 || goal.line > view.state.doc.lines) return;
  const at = view.state.doc.line(goal.line).from;
  if (!goal.focus) {
    // Only the pane moves: where it stands below the form, the page stays where it is.
    view.scrollDOM.scrollTop = view.lineBlockAt(at).top - ABOVE_PX;
    return;
  }
  view.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: "center" }) });
  view.focus();
}
