/** Every run that goes on: how long, in which step, and against how long it usually takes. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "react-router";

import { api, ok } from "~/api/client";
import { useRights } from "~/api/me";
import { progress, type Health } from "~/features/settings/health";
import { texts } from "~/features/settings/texts";
import { useTexts } from "~/lib/i18n";
import { useNow } from "~/lib/now";
import { duration } from "~/lib/time";
import { Button } from "~/ui/Button";
import { Confirm } from "~/ui/Dialog";
import { Status } from "~/ui/Status";
import { Duration } from "~/ui/Time";
import { toast } from "~/ui/toasts";

type Flying = Health["in_flight"][number];

export function InFlight({ health, className }: { health: Health; className: string }) {
  const t = useTexts(texts);
  const queries = useQueryClient();
  const { mayJob } = useRights();
  const [asked, setAsked] = useState<Flying | null>(null);
  const abort = useMutation({
    mutationFn: (run: Flying) => ok(api.POST("/admin/jobs/runs/{run_id}/abort", { params: { path: { run_id: run.run_id } } })),
    onSuccess: (_, run) => toast.ok(t.aborted(run.run_id)),
    onError: (error, run) => toast.failed(t.notAborted(run.run_id), error),
    onSettled: () => { setAsked(null); void queries.invalidateQueries({ queryKey: ["health"] }); },
  });
  const runs = health.in_flight;
  const hidden = health.running - runs.length;
  return (
    <section className={`panel ${className}`} aria-label={t.inFlight}>
      <div className="panel-head">
        <h2>{t.inFlight}</h2><span className="count">{t.runsCount(Math.max(runs.length, health.running))}</span>
        {runs.length > 0 && <span className="end"><span className="help hide-phone">{t.mark}</span></span>}
      </div>
      {runs.length === 0 ? <p className="panel-body muted">{t.nothingRuns}</p> : (
        <div className="scroll" tabIndex={0} role="group" aria-label={t.inFlight}>
          <table className="tbl cards inf">
            <thead><tr><th>{t.run}</th><th>{t.job}</th><th>{t.state}</th><th>{t.step}</th><th className="num">{t.elapsed}</th><th>{t.against}</th><th><span className="sr">{t.abortVerb}</span></th></tr></thead>
            <tbody>
              {runs.map((run) => (
                <tr key={run.run_id}>
                  <td><Link to={`/nomaflow/runs/${run.run_id}`}>{run.run_id}</Link></td>
                  <td className="b">{run.job}</td>
                  <td><Status value={run.status} /></td>
                  <td className="muted trunc" title={run.current_step ?? undefined}>{run.waiting === "thread" ? t.waitsThread : run.current_step}</td>
                  <td className="num"><Duration since={run.started_at ?? run.queued_at} /></td>
                  <td className="pc">{run.stopping !== null ? <span className="help">{t.stopping(run.stopping)}</span> : <Against run={run} />}</td>
                  <td className="c-abort">
                    {run.status === "running" && mayJob("abort", run.job, run.app) && (
                      <Button small tone="quiet" icon="s-abort" aria-label={t.abort(run.run_id)} title={t.abort(run.run_id)} onClick={() => setAsked(run)} />
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {hidden > 0 && <p className="panel-body help">{t.hiddenRuns(hidden)}</p>}
      {asked && (
        <Confirm title={t.abortTitle(asked.run_id)} verb={t.abortVerb} keep={t.keepRunning} dangerous busy={abort.isPending}
          onConfirm={() => abort.mutate(asked)} onClose={() => setAsked(null)}>
          {t.abortText(asked.job, asked.current_step ?? "")}
        </Confirm>
      )}
    </section>
  );
}

function Against({ run }: { run: Flying }) {
  const t = useTexts(texts);
  const since = Date.parse(run.started_at ?? run.queued_at);
  const elapsed = useNow((now) => Math.max(0, now.getTime() - since));
  if (run.usual_ms === null) return <span className="help">{t.noMedian}</span>;
  const { done, mark, over } = progress(elapsed, run.usual_ms);
  return (
    <>
      <div className={over ? "prog over" : "prog"}><i style={{ width: `${done * 100}%` }} /><b style={{ left: `${mark * 100}%` }} /></div>
      <span className="help">{over ? t.over(duration(run.usual_ms)) : t.left(duration(run.usual_ms - elapsed))}</span>
    </>
  );
}
