/** The run that tries a step out: its state, its lines as they come, its result. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { Link } from "react-router";

import { api, ok } from "~/api/client";
import { texts } from "~/features/builder/texts";
import { useTexts } from "~/lib/i18n";
import { followRun, type LiveLine } from "~/lib/live";
import { Button } from "~/ui/Button";
import { JsonTree } from "~/ui/JsonTree";
import { Status } from "~/ui/Status";
import { Duration } from "~/ui/Time";

const KEPT = 200;
const GOING: ReadonlySet<string> = new Set(["queued", "running", "aborting"]);

export function TestRun({ runId, onClose }: { runId: string; onClose: () => void }) {
  const t = useTexts(texts);
  const queries = useQueryClient();
  const [lines, setLines] = useState<readonly LiveLine[]>([]);
  const queryKey = ["test-run", runId];
  const run = useQuery({
    queryKey,
    queryFn: () => ok(api.GET("/admin/jobs/runs/{run_id}", { params: { path: { run_id: runId } } })),
    // The live connection tells at once; this is for when there is none.
    refetchInterval: ({ state }) => (state.data === undefined || GOING.has(state.data.status) ? 2000 : false),
  });
  useEffect(() => {
    const again = () => void queries.invalidateQueries({ queryKey: ["test-run", runId] });
    return followRun(runId, 0, {
      lines: (batch) => setLines((before) => [...before, ...batch].slice(-KEPT)),
      runMoved: (moved) => { if (moved.run_id === runId) again(); },
      again,
    });
  }, [runId, queries]);
  const found = run.data;
  const step = found?.steps.at(-1);
  const shown = found !== undefined && !GOING.has(found.status) ? found.logs : lines;
  return (
    <section className="prev" aria-label={t.testOf(runId)}>
      <div className="row pv-h">
        <h4>{t.test}</h4>
        {found && <Status value={found.status} />}
        <span className="faint">
          <Link to={`/nomaflow/runs/${runId}`}>{runId}</Link>
          {found?.duration_ms != null ? <>, <Duration ms={found.duration_ms} /></> : found?.started_at != null && <>, <Duration since={found.started_at} /></>}
          {step?.rows_affected != null && <>, {t.rows(step.rows_affected)}</>}
        </span>
        <span className="end"><Button small tone="quiet" icon="x" aria-label={t.closeTest} title={t.closeTest} onClick={onClose} /></span>
      </div>
      {found?.reason && <p className="pv-p">{found.reason}</p>}
      {step?.error && <p className="pv-p err" role="alert">{step.error.type}: {step.error.message}</p>}
      {shown.length > 0 && (
        <div className="try-log" role="log" aria-label={t.log} tabIndex={0}>
          {shown.map((line) => <div key={line.seq}><span className={`lv ${line.level.toLowerCase()}`}>{line.level}</span> {clean(line.message)}</div>)}
        </div>
      )}
      {step?.output != null && <div className="pv-json"><JsonTree value={step.output} name={t.output} /></div>}
    </section>
  );
}

/** The small pane shows plain text; the run's own page shows the colours. */
function clean(message: string): string {
  return message.replace(/\u001b\[[0-9;]*m/g, "");
}
