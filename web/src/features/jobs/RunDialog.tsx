/** Run a job with values for this run alone: a typed form, the steps, the log level; sends only what differs. */
import { useQuery } from "@tanstack/react-query";
import { useId, useState, type FormEvent } from "react";

import { useJobActions } from "~/features/jobs/actions";
import { FieldInput } from "~/features/jobs/FieldInput";
import { EMPTY, baseOf, keyOf, outcomeOf, presetOf, withValue, type Draft, type Level, type Outcome } from "~/features/jobs/form";
import { formQuery, type RunForm } from "~/features/jobs/queries";
import { RunSteps } from "~/features/jobs/RunSteps";
import { texts } from "~/features/jobs/texts";
import { useTexts } from "~/lib/i18n";
import { Button } from "~/ui/Button";
import { Dialog } from "~/ui/Dialog";
import { Icon } from "~/ui/Icon";
import { Select } from "~/ui/Select";
import { ErrorState, SkeletonRows } from "~/ui/States";
import "~/features/jobs/dialogs.css";

const WIDTH = 680;

export default function RunDialog({ job, onClose }: { job: string; onClose: () => void }) {
  const t = useTexts(texts);
  const form = useQuery(formQuery(job));
  if (form.data !== undefined) return <Filled form={form.data} onClose={onClose} />;
  return (
    <Dialog title={t.runTitle(job)} onClose={onClose} width={WIDTH}>
      {form.error !== null && !form.isFetching ? <ErrorState error={form.error} onRetry={() => void form.refetch()} /> : <SkeletonRows rows={6} height={40} />}
    </Dialog>
  );
}

/** Read once when it opens: what somebody has typed is not changed under their hands. */
function Filled({ form, onClose }: { form: RunForm; onClose: () => void }) {
  const t = useTexts(texts);
  const id = useId();
  const { run } = useJobActions();
  const [draft, setDraft] = useState<Draft>(EMPTY);
  const [tried, setTried] = useState(false);
  const outcome = outcomeOf(form, draft);
  const faulty = Object.keys(outcome.faults).length > 0;
  const send = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (!faulty) run.mutate({ name: form.job, body: outcome.body }, { onSuccess: onClose });
  };
  return (
    <Dialog
      title={t.runTitle(form.job)}
      onClose={onClose}
      width={WIDTH}
      actions={
        <>
          <span className="help grow" role="status">{differs(t, outcome, draft, form)}</span>
          <Button onClick={onClose}>{t.cancel}</Button>
          <Button type="submit" form={id} tone="primary" icon="play" busy={run.isPending} disabled={outcome.running === 0 || (tried && faulty)}>{t.runVerb}</Button>
        </>
      }
    >
      <form id={id} className="run-form" onSubmit={send} noValidate>
        <Presets form={form} draft={draft} onDraft={setDraft} />
        <Values form={form} draft={draft} outcome={outcome} tried={tried} onDraft={setDraft} />
        <RunSteps form={form} draft={draft} outcome={outcome} tried={tried} onDraft={setDraft} />
        {run.error !== null && <p className="err" role="alert"><Icon name="s-bad" />{run.error.message}</p>}
      </form>
    </Dialog>
  );
}

function differs(t: typeof texts.en, outcome: Outcome, draft: Draft, form: RunForm): string {
  const level = outcome.body.log_level != null ? 1 : 0;
  const values = outcome.changed.size + level;
  if (outcome.running === 0) return t.noStepRuns;
  if (values === 0 && outcome.stepsChanged === 0) return presetOf(form, draft) === null ? t.asDefined : t.asPreset(draft.preset ?? "");
  return t.sendsOnly(values, outcome.stepsChanged);
}

interface Part {
  form: RunForm;
  draft: Draft;
  onDraft: (draft: Draft) => void;
}

function Presets({ form, draft, onDraft }: Part) {
  const t = useTexts(texts);
  if (form.presets.length === 0) return null;
  const chosen = presetOf(form, draft);
  return (
    <div className="pre">
      <span className="lbl" aria-hidden="true">{t.presetLabel}</span>
      <span className="seg" role="group" aria-label={t.presetLabel}>
        <button type="button" aria-pressed={chosen === null} onClick={() => onDraft({ ...draft, preset: null })}>{t.defaults}</button>
        {form.presets.map((one) => (
          <button key={one.name} type="button" aria-pressed={one === chosen} title={one.description || undefined} onClick={() => onDraft({ ...draft, preset: one.name })}>{one.name}</button>
        ))}
      </span>
      {chosen !== null && chosen.description !== "" && <span className="help">{chosen.description}</span>}
    </div>
  );
}

function Values({ form, draft, outcome, tried, onDraft }: Part & { outcome: Outcome; tried: boolean }) {
  const t = useTexts(texts);
  const id = useId();
  const preset = presetOf(form, draft);
  const usual = preset?.log_level ?? form.log_level;
  return (
    <div className="form-pair">
      {form.fields.map((field, index) => (
        <FieldInput
          key={field.name}
          field={field}
          base={baseOf(field, null, preset)}
          value={draft.values[keyOf(field, null)]}
          changed={outcome.changed.has(keyOf(field, null))}
          fault={tried || draft.values[keyOf(field, null)] !== undefined ? outcome.faults[keyOf(field, null)] : undefined}
          first={index === 0}
          onValue={(value) => onDraft(withValue(draft, keyOf(field, null), value))}
        />
      ))}
      <div className="field">
        <label htmlFor={id}>{t.logLevel}</label>
        <Select id={id} value={draft.level ?? usual} changed={outcome.body.log_level != null} onChange={(level) => onDraft({ ...draft, level: level as Level })}>
          {form.log_levels.map((level) => <option key={level}>{level}</option>)}
        </Select>
        <span className="help">{draft.level !== null && draft.level !== usual ? t.thisRunOnly : ""}</span>
      </div>
    </div>
  );
}
