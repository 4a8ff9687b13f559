/** Run it again: as the job is now or as it was, from the start or from a step, with other params. */
import { useId, useState } from "react";

import { changedParams, kindOf, written } from "~/features/runs/run/params";
import type { Story } from "~/features/runs/run/queries";
import { useReplay } from "~/features/runs/run/RunHead";
import { texts } from "~/features/runs/texts";
import { useTexts } from "~/lib/i18n";
import { Button } from "~/ui/Button";
import { Dialog } from "~/ui/Dialog";
import { Icon } from "~/ui/Icon";

interface Props {
  run: Story["run"];
  steps: readonly string[];
  from: string | null;
  onClose: () => void;
}

export function ReplayDialog({ run, steps, from, onClose }: Props) {
  const t = useTexts(texts);
  const id = useId();
  const [definition, setDefinition] = useState<"current" | "same">("current");
  const [step, setStep] = useState(from ?? "");
  const [fields, setFields] = useState<Readonly<Record<string, string>>>({});
  const replay = useReplay(run.run_id);
  const { params, wrong } = changedParams(run.params, fields);
  const changed = Object.keys(params).length;
  const send = () =>
    replay.mutate({ definition, ...(step !== "" && { from_step: step }), ...(changed > 0 && { params }) }, { onSettled: onClose });
  const choice = (value: "current" | "same", name: string, help: string) => (
    <label className="choice">
      <input type="radio" name={id} value={value} checked={definition === value} onChange={() => setDefinition(value)} />
      <span><b>{name}</b><span className="help">{help}</span></span>
    </label>
  );
  return (
    <Dialog
      title={t.replayOne(run.run_id)}
      onClose={onClose}
      width={520}
      actions={
        <>
          <span className="faint grow">{changed > 0 && t.changedCount(changed)}</span>
          <Button onClick={onClose}>{t.cancel}</Button>
          <Button tone="primary" icon="replay" data-autofocus busy={replay.isPending} disabled={wrong.length > 0} onClick={send}>{t.rerun}</Button>
        </>
      }
    >
      <div className="replay">
        <fieldset>
          <legend className="lbl">{t.whichDefinition}</legend>
          {choice("current", t.asItIsNow, t.asItIsNowHelp)}
          {run.definition_version !== null && choice("same", t.asItWas, t.asItWasHelp(run.definition_version))}
        </fieldset>
        {steps.length > 1 && (
          <div className="field">
            <label htmlFor={`${id}-step`}>{t.beginAt}</label>
            <span className="sel">
              <select id={`${id}-step`} className="input" value={step} onChange={(event) => setStep(event.currentTarget.value)}>
                <option value="">{t.fromTheStart}</option>
                {steps.slice(1).map((name) => <option key={name} value={name}>{name}</option>)}
              </select>
              <Icon name="down" />
            </span>
            {step !== "" && <span className="help">{t.skipsBefore(step)}</span>}
          </div>
        )}
        {Object.entries(run.params).map(([name, value]) => {
          const kind = kindOf(value);
          const text = fields[name] ?? written(value);
          const set = (next: string) => setFields((before) => ({ ...before, [name]: next }));
          const bad = wrong.includes(name);
          const field = `${id}-p-${name}`;
          return (
            <div key={name} className="field">
              <label htmlFor={field}><code>{name}</code>{text !== written(value) && <span className="was">{t.was(written(value))}</span>}</label>
              {kind === "switch" ? (
                <input id={field} type="checkbox" className="check" checked={text === "true"} onChange={(event) => set(String(event.currentTarget.checked))} />
              ) : (
                <input id={field} className={kind === "json" ? "input mono" : "input"} value={text} inputMode={kind === "number" ? "decimal" : "text"} spellCheck={false}
                  aria-invalid={bad || undefined} aria-describedby={bad ? `${field}-e` : undefined} onChange={(event) => set(event.currentTarget.value)} />
              )}
              {bad && <span id={`${field}-e`} className="err"><Icon name="s-bad" />{kind === "number" ? t.notANumber : t.notJson}</span>}
            </div>
          );
        })}
      </div>
    </Dialog>
  );
}
