/** The last runs of a job, newest first. */
import { Link } from "react-router";

import { runPlace, runsPlace } from "~/features/jobs/places";
import type { Detail } from "~/features/jobs/queries";
import { texts } from "~/features/jobs/texts";
import { useTexts } from "~/lib/i18n";
import { EmptyState } from "~/ui/States";
import { Status } from "~/ui/Status";
import { Duration, Time } from "~/ui/Time";

const SHOWN = 25;

export function JobRuns({ job }: { job: Detail }) {
  const t = useTexts(texts);
  const runs = job.runs.slice(0, SHOWN);
  return (
    <section className="panel job-runs" aria-labelledby="job-runs">
      <div className="panel-head">
        <h2 id="job-runs">{t.lastRuns}</h2>
        <span className="end"><Link to={runsPlace(job.name)}>{t.allRuns}</Link></span>
      </div>
      {runs.length === 0 ? <EmptyState icon="runs" title={t.noRuns}>{t.noRunsYet}</EmptyState> : (
        <table className="tbl">
          <thead><tr><th className="r-st">{t.status}</th><th className="r-id">{t.runLabel}</th><th className="r-at">{t.begun}</th><th className="num r-took">{t.took}</th><th className="r-why">{t.because}</th></tr></thead>
          <tbody>
            {runs.map((run) => (
              <tr key={run.run_id}>
                <td className="r-st"><Status value={run.status} look="plain" /></td>
                <td className="r-id"><Link to={runPlace(run.run_id)}>{run.run_id}</Link></td>
                <td className="r-at"><Time at={run.started_at ?? run.queued_at} zone={job.timezone} /></td>
                <td className="num r-took">{run.finished_at === null ? <Duration since={run.started_at} /> : <Duration ms={run.duration_ms} />}</td>
                <td className="r-why"><div className="trunc" title={run.reason ?? undefined}>{run.reason ?? <span className="faint">{t.trigger(run.trigger, run.triggered_by)}</span>}</div></td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
