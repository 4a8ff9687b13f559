/** What both editors have in common: look, keys, and the nonce without which their styles would be refused. */
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { StreamLanguage, syntaxHighlighting, type StreamParser } from "@codemirror/language";
import { Annotation, EditorState, type Extension } from "@codemirror/state";
import { EditorView, keymap } from "@codemirror/view";
import { classHighlighter } from "@lezer/highlight";

import { nonce } from "~/lib/base";

/** Marks a change that comes from outside, so that it is not told back. */
export const fromOutside = Annotation.define<true>();

const look = EditorView.theme({
  "&": { font: "var(--t-code)", backgroundColor: "transparent", color: "var(--text)" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "20px" },
  ".cm-content": { caretColor: "var(--accent)" },
  ".cm-cursor": { borderLeftColor: "var(--accent)", borderLeftWidth: "2px" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { background: "color-mix(in srgb, var(--accent) 25%, transparent)" },
  ".cm-gutters": { backgroundColor: "transparent", color: "var(--text-3)", border: "0" },
  ".cm-lineNumbers .cm-gutterElement": { minWidth: "44px", padding: "0 var(--s3) 0 var(--s2)" },
  ".cm-tooltip": { background: "var(--surface)", border: "0", borderRadius: "var(--r2)", boxShadow: "var(--shadow)" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { font: "var(--t-code)", maxHeight: "200px" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "2px var(--s2)", color: "var(--text)" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { background: "var(--accent-soft)", color: "var(--text)" },
  ".cm-completionDetail": { color: "var(--text-3)", fontStyle: "normal", marginLeft: "var(--s3)" },
  ".cm-completionMatchedText": { textDecoration: "none", fontWeight: "600" },
});

/**
 * A browser that replaces coloured text by what is typed keeps its colour with an inline style, which the content policy
 * refuses with an error. So the replacing is done here.
 */
const typedOver = EditorView.domEventHandlers({
  beforeinput(event, view) {
    if (event.inputType !== "insertText" || event.data === null || view.composing || view.state.selection.main.empty) return false;
    event.preventDefault();
    view.dispatch(view.state.update(view.state.replaceSelection(event.data), { userEvent: "input.type", scrollIntoView: true }));
    return true;
  },
});

/** Tab leaves the field, as everywhere else on the page. */
export function common(): Extension {
  return [
    EditorView.cspNonce.of(nonce),
    look,
    history(),
    keymap.of([...defaultKeymap, ...historyKeymap]),
    syntaxHighlighting(classHighlighter),
    typedOver,
  ];
}

/** What may change while somebody types: goes into a Compartment. Text that may not be changed can still be reached and copied. */
export function named(attributes: Record<string, string>, readOnly: boolean): Extension {
  return [
    EditorView.contentAttributes.of({ "aria-multiline": "true", tabindex: "0", ...attributes, ...(readOnly && { "aria-readonly": "true" }) }),
    EditorState.readOnly.of(readOnly),
  ];
}

/** The smallest replacement that makes the document say `text`: the cursor stays where it was. */
export function replaceText(view: EditorView, text: string): void {
  const old = view.state.doc.toString();
  if (old === text) return;
  let from = 0;
  while (from < old.length && from < text.length && old[from] === text[from]) from++;
  let tail = 0;
  while (tail < old.length - from && tail < text.length - from && old.at(-1 - tail) === text.at(-1 - tail)) tail++;
  view.dispatch({
    changes: { from, to: old.length - tail, insert: text.slice(from, text.length - tail) },
    annotations: fromOutside.of(true),
  });
}

interface TomlState { until: string | null; value: boolean }

const parser: StreamParser<TomlState> = {
  name: "toml",
  startState: () => ({ until: null, value: false }),
  token(stream, state) {
    if (state.until !== null) {
      const rest = stream.string.indexOf(state.until, stream.pos);
      if (rest < 0) stream.skipToEnd();
      else {
        stream.pos = rest + 3;
        state.until = null;
      }
      return "string";
    }
    if (stream.sol()) state.value = false;
    if (stream.eatSpace()) return null;
    if (stream.peek() === "#") {
      stream.skipToEnd();
      return "comment";
    }
    if (!state.value && stream.match(/^\[\[?[^\]]*\]\]?/)) return "heading";
    for (const long of ['"""', "'''"]) {
      if (stream.match(long)) {
        state.until = long;
        return "string";
      }
    }
    const key = stream.match(/^(?:[\w-]+|"[^"]*"|'[^']*')(?=\s*(?:=|\.[\w"']))/);
    if (key) return "propertyName";
    if (stream.match(/^"(?:[^"\\]|\\.)*"?/) || stream.match(/^'[^']*'?/)) return "string";
    if (stream.match(/^(?:true|false)\b/)) return "bool";
    if (stream.match(/^[+-]?\d[\w.:+-]*/)) return "number";
    if (stream.next() === "=") state.value = true;
    return null;
  },
};

export const toml: Extension = StreamLanguage.define(parser);
