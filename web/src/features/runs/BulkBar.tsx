/** What one can do with the ticked runs; asks first, then says for each what became of it. */
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "react-router";

import { api, ok, type Schemas } from "~/api/client";
import { useRights } from "~/api/me";
import { FINAL, type Run } from "~/features/runs/query";
import { texts } from "~/features/runs/texts";
import { useTexts } from "~/lib/i18n";
import { Button } from "~/ui/Button";
import { Confirm, Dialog } from "~/ui/Dialog";
import { Status } from "~/ui/Status";
import { toast } from "~/ui/toasts";

export type Deed = "abort" | "replay";

export function useDoable(runs: readonly Run[]): Record<Deed, readonly Run[]> {
  const { mayJob } = useRights();
  return {
    abort: runs.filter((run) => !FINAL.has(run.status) && mayJob("abort", run.job, run.app)),
    replay: runs.filter((run) => FINAL.has(run.status) && mayJob("run", run.job, run.app)),
  };
}

interface Props {
  runs: readonly Run[];
  onAsk: (deed: Deed) => void;
  onClear: () => void;
}

export function BulkBar({ runs, onAsk, onClear }: Props) {
  const t = useTexts(texts);
  const can = useDoable(runs);
  return (
    <div className="bulk" role="region" aria-label={t.selection}>
      <b role="status">{t.selected(runs.length)}</b>
      {can.replay.length > 0 && <Button icon="replay" onClick={() => onAsk("replay")}>{t.replayMany(can.replay.length)}</Button>}
      {can.abort.length > 0 && <Button icon="s-abort" tone="danger" onClick={() => onAsk("abort")}>{t.abortMany(can.abort.length)}</Button>}
      <Button tone="quiet" onClick={onClear}>{t.clear}</Button>
    </div>
  );
}

type Answer = Schemas["BulkModel"];

/** Asks, does, tells. A dozen names are shown; the rest is counted. */
export function BulkDialog({ deed, runs, onClose, onDone }: { deed: Deed; runs: readonly Run[]; onClose: () => void; onDone: () => void }) {
  const t = useTexts(texts);
  const [answer, setAnswer] = useState<Answer | null>(null);
  const many = useDoable(runs)[deed];
  const send = useMutation({
    mutationFn: () => {
      // Replays start in the order in which the runs were.
      const run_ids = many.map((run) => run.run_id).sort((a, b) => Number(a.slice(2)) - Number(b.slice(2)));
      return deed === "abort"
        ? ok(api.POST("/admin/jobs/runs/abort", { body: { run_ids, limit: 100 } }))
        : ok(api.POST("/admin/jobs/runs/replay", { body: { run_ids, limit: 100, replay: { definition: "current" } } }));
    },
    onSuccess: (found) => {
      setAnswer(found);
      onDone();
    },
    onError: (error) => {
      toast.failed(deed === "abort" ? t.notAborted : t.notReplayed, error);
      onClose();
    },
  });
  if (answer !== null) return <Outcome deed={deed} answer={answer} onClose={onClose} />;
  const jobs = [...new Set(many.map((run) => run.job))];
  const shown = many.slice(0, 12);
  return (
    <Confirm
      title={deed === "abort" ? t.abortTitle(many.length) : t.replayTitle(many.length)}
      verb={deed === "abort" ? t.abortMany(many.length) : t.replayMany(many.length)}
      {...(deed === "abort" && { keep: t.keepRunning })}
      dangerous={deed === "abort"}
      busy={send.isPending}
      onConfirm={() => send.mutate()}
      onClose={onClose}
    >
      <p>{deed === "abort" ? t.abortHelp : t.replayHelp(jobs.length)}</p>
      <p className="bulk-ids faint">{shown.map((run) => run.run_id).join(", ")}{many.length > shown.length && ` ${t.andMore(many.length - shown.length)}`}</p>
      {many.length < runs.length && <p className="note">{deed === "abort" ? t.leftOutFinal(runs.length - many.length) : t.leftOutLive(runs.length - many.length)}</p>}
    </Confirm>
  );
}

function Outcome({ deed, answer, onClose }: { deed: Deed; answer: Answer; onClose: () => void }) {
  const t = useTexts(texts);
  return (
    <Dialog title={deed === "abort" ? t.abortedMany(answer.done) : t.replayedMany(answer.done)} onClose={onClose} actions={<Button tone="primary" onClick={onClose}>{t.close}</Button>}>
      {answer.refused > 0 && <p className="note bad">{t.refused(answer.refused)}</p>}
      <ul className="outcome" aria-label={t.outcome} tabIndex={0}>
        {answer.items.map((item) => (
          <li key={item.run_id}>
            <Status value={item.ok ? "succeeded" : "failed"} look="icon">{item.ok ? t.done : t.notDone}</Status>
            <b>{item.run_id}</b>
            {item.new_run_id !== null && <span>→ <Link to={`/nomaflow/runs/${item.new_run_id}`}>{item.new_run_id}</Link></span>}
            <span className="faint">{item.ok ? item.status : item.detail}</span>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
