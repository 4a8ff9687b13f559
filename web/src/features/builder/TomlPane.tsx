/** The text beside the form: always what the form says, with every problem at its line and in the line below it. */
import { lazy, Suspense, useMemo, useState } from "react";

import type { View } from "~/features/builder/Builder";
import { useForm } from "~/features/builder/form/context";
import type { Note } from "~/features/builder/text/marks";
import type { Goal } from "~/features/builder/text/TomlEditor";
import { fixOf, stepAt, stepLines } from "~/features/builder/text/tomlText";
import { texts } from "~/features/builder/texts";
import { useTexts } from "~/lib/i18n";
import { Button } from "~/ui/Button";
import { Icon } from "~/ui/Icon";

const TomlEditor = lazy(() => import("~/features/builder/text/TomlEditor"));

interface Props {
  file: string;
  firstLine: number;
  readOnly: boolean;
  chosen: number;
  /** Counts how often a step was chosen outside of the text. */
  reveal: number;
  /** By the line the cursor is in. */
  onChoose: (index: number) => void;
  /** Nothing was done yet: an empty job is not a mistake. */
  quiet: boolean;
  view: View;
  onView: (view: View) => void;
}

export function TomlPane({ file, firstLine, readOnly, chosen, reveal, onChoose, quiet, view, onView }: Props) {
  const t = useTexts(texts);
  const { session, seen } = useForm();
  const { text, draft } = seen;
  const [jump, setJump] = useState<Goal | null>(null);
  const steps = useMemo(() => stepLines(text), [text]);
  const tint = steps[chosen] ?? null;
  // A problem belongs to the text that was checked: while one types, its line may have moved.
  const fresh = draft !== null && draft.toml === text;
  const problems = useMemo(() => (quiet ? [] : (draft?.problems ?? [])), [draft, quiet]);
  const shown = useMemo(() => {
    const notes = (fresh ? problems : []).flatMap((one): Note[] => {
      if (one.line === null) return [];
      const fix = readOnly ? null : fixOf(one, text);
      return [{ line: one.line, message: one.key === null ? one.message : `${one.path.at(-1)}: ${one.message}`, tone: "bad", fix, fixLabel: fix === null ? "" : t.use(fix.label) }];
    });
    return { tint, notes };
  }, [fresh, problems, text, tint, readOnly, t]);

  // Choosing a step brings its text into sight, unless it was chosen by its text.
  const there = tint !== null;
  const stepGoal = useMemo((): Goal | null => {
    const lines = reveal > 0 && there ? stepLines(session.get().text)[chosen] : undefined;
    return lines === undefined ? null : { line: lines.from, focus: false };
  }, [reveal, there, chosen, session]);

  const [problem] = problems;
  const fix = problem === undefined || readOnly || !fresh ? null : fixOf(problem, text);
  const views: readonly (readonly [View, string])[] = [["both", t.both], ["form", t.form], ["toml", "TOML"]];
  return (
    <aside className="panel toml" aria-label="TOML">
      <div className="panel-head">
        <h2 className="trunc">{file}</h2>
        <span className="count" role="status">{seen.busy ? t.writing : seen.unreadable ? t.notInStep : t.inStep}</span>
        <span className="end">
          <span className="seg" role="group" aria-label={t.panels}>
            {views.map(([value, word]) => <button key={value} type="button" aria-pressed={view === value} onClick={() => onView(value)}>{word}</button>)}
          </span>
        </span>
      </div>
      {view !== "form" && (
        <>
          <div className="code">
            <Suspense fallback={<pre className="code-wait">{text}</pre>}>
              <TomlEditor
                value={text}
                label={t.tomlOf(file)}
                firstLine={firstLine}
                readOnly={readOnly}
                shown={shown}
                goal={stepGoal}
                jump={jump}
                onChange={session.type}
                onLine={(line) => {
                  const index = stepAt(stepLines(session.get().text), line);
                  if (index === null || index === chosen) return;
                  onChoose(index);
                }}
              />
            </Suspense>
          </div>
          <div className="tfoot" role="status">
            {problem === undefined ? (
              <>{!quiet && <span className="st st-ok"><Icon name="s-ok" />{t.noProblems}</span>}<span className="end faint">{t.commentsKept}</span></>
            ) : (
              <>
                <Icon name="s-bad" />
                <button type="button" className="linkish" title={problem.message} disabled={problem.line === null}
                  onClick={() => problem.line !== null && setJump({ line: problem.line, focus: true })}>
                  {problem.line === null ? problem.message : t.atLine(problem.line + firstLine - 1, problem.path.length === 0 ? problem.message : String(problem.path.at(-1)))}
                </button>
                {problems.length > 1 && <span>{t.andMore(problems.length - 1)}</span>}
                {fix !== null && <Button small onClick={() => session.type(text.slice(0, fix.from) + fix.insert + text.slice(fix.to))}>{t.use(fix.label)}</Button>}
              </>
            )}
          </div>
        </>
      )}
    </aside>
  );
}
