/** Run a job for past instants of its schedules: the span, and in which order. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useId, useState, type FormEvent } from "react";

import { api, ok } from "~/api/client";
import { texts } from "~/features/jobs/texts";
import { useTexts } from "~/lib/i18n";
import { Button } from "~/ui/Button";
import { Dialog } from "~/ui/Dialog";
import { Icon } from "~/ui/Icon";
import { toast } from "~/ui/toasts";
import "~/features/jobs/dialogs.css";
import "~/features/jobs/over.css";

const day = (ago: number) => new Date(Date.now() - ago * 86_400_000).toISOString().slice(0, 10);
const WEEK = 7;
const MOST_AT_ONCE = 32;

export default function BackfillDialog({ job, onClose }: { job: string; onClose: () => void }) {
  const t = useTexts(texts);
  const id = useId();
  const queries = useQueryClient();
  const [from, setFrom] = useState(day(WEEK));
  const [to, setTo] = useState(day(1));
  const [missing, setMissing] = useState(true);
  const [newest, setNewest] = useState(false);
  const [atOnce, setAtOnce] = useState("1");
  const count = Number(atOnce);
  const wrong = from > to ? t.spanTurned : !Number.isInteger(count) || count < 1 || count > MOST_AT_ONCE ? t.atOnceRange(MOST_AT_ONCE) : null;
  const start = useMutation({
    mutationFn: () =>
      ok(api.POST("/admin/jobs/{name}/backfill", {
        params: { path: { name: job } }, body: { from, to, only_missing: missing, newest_first: newest, max_concurrent: count },
      })),
    onSuccess: ({ run_ids }) => {
      if (run_ids.length === 0) toast.ok(t.nothingMissing);
      else toast.run(t.backfillStarted(run_ids.length), { text: job });
      onClose();
    },
    onSettled: () => queries.invalidateQueries({ queryKey: ["jobs"] }),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    start.mutate();
  };
  const why = wrong ?? (start.error === null ? null : start.error.message);
  return (
    <Dialog
      title={t.backfillTitle(job)}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{t.cancel}</Button>
          <Button type="submit" form={id} tone="primary" icon="hist" busy={start.isPending} disabled={wrong !== null}>{t.startBackfill}</Button>
        </>
      }
    >
      <form id={id} className="stack" onSubmit={submit}>
        <p className="muted">{t.backfillHelp}</p>
        <div className="form-pair">
          <div className="field">
            <label htmlFor={`${id}-from`}>{t.from}</label>
            <input id={`${id}-from`} className="input" type="date" required value={from} data-autofocus onChange={(event) => setFrom(event.currentTarget.value)} />
          </div>
          <div className="field">
            <label htmlFor={`${id}-to`}>{t.to}</label>
            <input id={`${id}-to`} className="input" type="date" required value={to} onChange={(event) => setTo(event.currentTarget.value)} />
          </div>
        </div>
        <label className="row"><input className="check" type="checkbox" checked={missing} onChange={(event) => setMissing(event.currentTarget.checked)} />{t.onlyMissing}</label>
        <label className="row"><input className="check" type="checkbox" checked={newest} onChange={(event) => setNewest(event.currentTarget.checked)} />{t.newestFirst}</label>
        <div className="field">
          <label htmlFor={`${id}-at-once`}>{t.atOnce}</label>
          <input id={`${id}-at-once`} className="input" inputMode="numeric" value={atOnce} onChange={(event) => setAtOnce(event.currentTarget.value)} />
        </div>
        {why !== null && <p className="err" role="alert"><Icon name="s-bad" />{why}</p>}
      </form>
    </Dialog>
  );
}
