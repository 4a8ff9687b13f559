/** Hold jobs back: until when, why, and what becomes of what falls due meanwhile. */
import { useId, useState, type FormEvent } from "react";

import { useJobActions } from "~/features/jobs/actions";
import { texts } from "~/features/jobs/texts";
import { useTexts } from "~/lib/i18n";
import { useNow } from "~/lib/now";
import { viewerZone } from "~/lib/time";
import { Button } from "~/ui/Button";
import { Dialog } from "~/ui/Dialog";
import "~/features/jobs/dialogs.css";
import "~/features/jobs/over.css";

const THEN = ["drop", "latest", "all"] as const;

export default function PauseDialog({ jobs, onClose }: { jobs: readonly string[]; onClose: () => void }) {
  const t = useTexts(texts);
  const id = useId();
  const { bulk } = useJobActions();
  const [until, setUntil] = useState("");
  const [reason, setReason] = useState("");
  const [then, setThen] = useState<(typeof THEN)[number]>("drop");
  const end = until === "" ? null : new Date(until);
  const past = useNow((now) => (until !== "" && new Date(until) <= now ? 1 : 0)) === 1;
  const pause = (event: FormEvent) => {
    event.preventDefault();
    const what = { until: end === null ? null : end.toISOString(), reason: reason.trim() || null, then };
    bulk.mutate({ what: "pause", names: jobs, pause: what }, { onSettled: onClose });
  };
  return (
    <Dialog
      title={jobs.length === 1 ? t.pauseTitle(jobs[0] ?? "") : t.pauseMany(jobs.length)}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{t.cancel}</Button>
          <Button type="submit" form={id} tone="primary" icon="s-pause" busy={bulk.isPending} disabled={past}>{t.pauseVerb}</Button>
        </>
      }
    >
      <form id={id} className="stack" onSubmit={pause}>
        <div className="field">
          <label htmlFor={`${id}-until`}>{t.pauseUntil} <span className="tyl">{viewerZone}</span></label>
          <input id={`${id}-until`} className="input" type="datetime-local" value={until} data-autofocus aria-invalid={past || undefined} aria-describedby={`${id}-help`} onChange={(event) => setUntil(event.currentTarget.value)} />
          <span id={`${id}-help`} className={past ? "err" : "help"}>{past ? t.inThePast : t.pauseHelp}</span>
        </div>
        <div className="field">
          <label htmlFor={`${id}-why`}>{t.reason}</label>
          <input id={`${id}-why`} className="input" value={reason} maxLength={500} onChange={(event) => setReason(event.currentTarget.value)} />
        </div>
        <fieldset className="field">
          <legend className="lbl">{t.thenLabel}</legend>
          {THEN.map((one) => (
            <label key={one} className="row">
              <input type="radio" name={id} checked={then === one} onChange={() => setThen(one)} /> {t.thenChoice(one)}
            </label>
          ))}
        </fieldset>
      </form>
    </Dialog>
  );
}
