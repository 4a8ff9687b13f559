/** The last runs that failed or were aborted; a job that stands here often is worth a look. */
import { Link } from "react-router";

import { flaps, type Health } from "~/features/settings/health";
import { texts } from "~/features/settings/texts";
import { useTexts } from "~/lib/i18n";
import { Status } from "~/ui/Status";
import { Duration, Time } from "~/ui/Time";

const OFTEN = 2;

export function Failures({ health, className }: { health: Health; className: string }) {
  const t = useTexts(texts);
  const runs = health.recent_failures;
  const counts = flaps(runs);
  return (
    <section className={`panel ${className}`} aria-label={t.failures}>
      <div className="panel-head">
        <h2>{t.failures}</h2><span className="count">{t.failuresCount}</span>
        <span className="end"><Link to="/nomaflow/runs">{t.allRuns}</Link></span>
      </div>
      {runs.length === 0 ? <p className="panel-body muted">{t.noFailures}</p> : (
        <div className="scroll" tabIndex={0} role="group" aria-label={t.failures}>
          <table className="tbl cards fl">
            <thead><tr><th>{t.run}</th><th>{t.job}</th><th>{t.state}</th><th>{t.when}</th><th className="num">{t.took}</th><th>{t.reason}</th><th className="num">{t.flap}</th></tr></thead>
            <tbody>
              {runs.map((run) => {
                const count = counts.get(run.job) ?? 0;
                return (
                  <tr key={run.run_id}>
                    <td><Link to={`/nomaflow/runs/${run.run_id}`}>{run.run_id}</Link></td>
                    <td className="b">{run.job}</td>
                    <td><Status value={run.status} look="plain" /></td>
                    <td className="muted"><Time at={run.finished_at ?? run.queued_at} /></td>
                    <td className="num"><Duration ms={run.duration_ms} /></td>
                    <td className="rs"><span className="trunc" title={run.error ?? run.reason ?? undefined}>{run.error ?? run.reason ?? "–"}</span></td>
                    <td className="num">{count >= OFTEN && t.times(count)}</td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
