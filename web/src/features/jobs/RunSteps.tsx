/** The steps of a run: which of them take part, and the values that are their own. */
import { useState } from "react";

import { FieldInput } from "~/features/jobs/FieldInput";
import { baseOf, keyOf, presetOf, withValue, type Draft, type Outcome } from "~/features/jobs/form";
import type { RunForm } from "~/features/jobs/queries";
import { texts } from "~/features/jobs/texts";
import { useTexts } from "~/lib/i18n";
import { Icon, type IconName } from "~/ui/Icon";

type Step = RunForm["steps"][number];
interface Props {
  form: RunForm;
  draft: Draft;
  outcome: Outcome;
  tried: boolean;
  onDraft: (draft: Draft) => void;
}

const ICONS: Readonly<Record<string, IconName>> = {
  python: "code", http: "globe", sql_query: "db", sql_copy: "copydb", call_job: "call",
};

export function RunSteps(props: Props) {
  const t = useTexts(texts);
  const { form, outcome } = props;
  return (
    <fieldset>
      <legend><h3>{t.steps} <span className="faint">{t.willRun(outcome.running, form.steps.length)}</span></h3></legend>
      <ol className="sts">{form.steps.map((step, index) => <StepLine key={step.name} {...props} step={step} index={index} />)}</ol>
    </fieldset>
  );
}

function StepLine({ form, draft, outcome, tried, onDraft, step, index }: Props & { step: Step; index: number }) {
  const t = useTexts(texts);
  const preset = presetOf(form, draft);
  const usual = preset?.step_enabled[step.name] ?? step.enabled;
  const on = draft.steps[step.name] ?? usual;
  const keys = step.fields.map((field) => keyOf(field, step.name));
  const changed = keys.filter((key) => outcome.changed.has(key)).length;
  const faulty = tried && keys.some((key) => key in outcome.faults);
  const [wanted, setWanted] = useState(false);
  const open = on && step.fields.length > 0 && (wanted || faulty);
  return (
    <li>
      <div className="st-line">
        <label className="row">
          <input className="check" type="checkbox" checked={on} onChange={(event) => onDraft({ ...draft, steps: { ...draft.steps, [step.name]: event.currentTarget.checked } })} />
          <span className="step-ix">{index + 1}</span>
          <span className={on ? "trunc on" : "trunc offs"}>{step.name}</span>
        </label>
        <span className="step-ty"><Icon name={ICONS[step.type] ?? "code"} small />{step.type}</span>
        {on && step.fields.length > 0 ? (
          <button type="button" className="as-link" aria-expanded={open} aria-label={`${step.name}: ${t.values(step.fields.length)}`} onClick={() => setWanted(!open)}>
            {changed > 0 ? t.valuesChanged(changed) : t.values(step.fields.length)}
          </button>
        ) : <span className="help">{on !== usual && t.changed}</span>}
      </div>
      {open && (
        <div className="form-pair st-fields">
          {step.fields.map((field) => {
            const key = keyOf(field, step.name);
            return (
              <FieldInput
                key={key} field={field} base={baseOf(field, step.name, preset)} value={draft.values[key]} changed={outcome.changed.has(key)}
                fault={tried || draft.values[key] !== undefined ? outcome.faults[key] : undefined} onValue={(value) => onDraft(withValue(draft, key, value))}
              />
            );
          })}
        </div>
      )}
    </li>
  );
}
