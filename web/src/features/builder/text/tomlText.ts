/** What the TOML pane knows about a text by itself: where each step stands, and how a problem is mended. */
import type { Problem } from "~/features/builder/paths";
import { meantNumber } from "~/features/builder/values";

/** Lines count from 1; both ends belong to it. */
export interface Lines { from: number; to: number }

const STEP = /^\s*\[\[\s*jobs\s*\.\s*steps\s*\]\]/;
const BELOW_STEP = /^\s*\[\[?\s*jobs\s*\.\s*steps\s*\./;
const HEADER = /^\s*\[/;

/** Where each `[[jobs.steps]]` stands, without the blank lines and comments that belong to what follows. */
export function stepLines(text: string): readonly Lines[] {
  const lines = text.split("\n");
  const found: Lines[] = [];
  let open: number | null = null;
  let within: string | null = null;
  let nested = 0;
  const close = (at: number) => {
    if (open === null) return;
    let last = at;
    while (last > open && /^\s*(#.*)?$/.test(lines[last - 1] ?? "")) last--;
    found.push({ from: open, to: last });
    open = null;
  };
  lines.forEach((line, index) => {
    const outside = within === null && nested === 0;
    if (outside && HEADER.test(line)) {
      if (STEP.test(line)) {
        close(index);
        open = index + 1;
      } else if (!BELOW_STEP.test(line)) close(index);
      return;
    }
    ({ within, nested } = after(line, within, nested));
  });
  close(lines.length);
  return found;
}

/** Whether a line ends inside of a long text or a list; brackets and marks inside of short texts and comments do not count. */
function after(line: string, within: string | null, nested: number): { within: string | null; nested: number } {
  for (let place = 0; place < line.length; place++) {
    const three = line.slice(place, place + 3);
    if (within !== null) {
      if (within === '"""' && line[place] === "\\") place++;
      else if (three === within) {
        within = null;
        place += 2;
      }
      continue;
    }
    const sign = line[place];
    if (sign === "#") break;
    if (three === '"""' || three === "'''") {
      within = three;
      place += 2;
    } else if (sign === '"' || sign === "'") {
      for (place++; place < line.length && line[place] !== sign; place++) if (sign === '"' && line[place] === "\\") place++;
    } else if (sign === "[" || sign === "{") nested++;
    else if ((sign === "]" || sign === "}") && nested > 0) nested--;
  }
  return { within, nested };
}

export function stepAt(steps: readonly Lines[], line: number): number | null {
  const found = steps.findIndex((one) => one.from <= line && line <= one.to);
  return found < 0 ? null : found;
}

/** One replacement in the text; `label` is what stands there afterwards. */
export interface Fix { from: number; to: number; insert: string; label: string }

const MEANT = /'([^']+)'[^']*did you mean '([^']+)'\?/;
const A_NUMBER = /\b(number|integer)\b/i;

/** How to mend a problem in one go: the key or name that was meant, or the number that "10k" stands for. */
export function fixOf(problem: Problem, text: string): Fix | null {
  if (problem.line === null) return null;
  const lines = text.split("\n");
  const line = lines[problem.line - 1];
  if (line === undefined) return null;
  const start = lines.slice(0, problem.line - 1).reduce((sum, one) => sum + one.length + 1, 0);
  const column = Math.max(0, (problem.column ?? 1) - 1);
  const meant = MEANT.exec(problem.message);
  if (meant !== null) {
    const [, wrong = "", right = ""] = meant;
    const at = line.indexOf(wrong, column);
    if (at < 0) return null;
    return { from: start + at, to: start + at + wrong.length, insert: right, label: right };
  }
  if (A_NUMBER.test(problem.message)) {
    const found = /=\s*(["'])(.*?)\1/.exec(line.slice(column));
    const number = found === null ? null : meantNumber(found[2] ?? "");
    if (found === null || number === null) return null;
    const from = start + column + found.index + found[0].length - (found[2] ?? "").length - 2;
    return { from, to: from + (found[2] ?? "").length + 2, insert: String(number), label: String(number) };
  }
  return null;
}
