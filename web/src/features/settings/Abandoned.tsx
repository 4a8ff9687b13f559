/** Code that did not end when its run was stopped, and where it is now. */
import { Link } from "react-router";

import { shortPlace, type Health } from "~/features/settings/health";
import { texts } from "~/features/settings/texts";
import { useTexts } from "~/lib/i18n";
import { Duration } from "~/ui/Time";

export function Abandoned({ health, className }: { health: Health; className: string }) {
  const t = useTexts(texts);
  const items = health.abandoned;
  return (
    <section className={`panel ${className}`} aria-label={t.abandoned}>
      <div className="panel-head">
        <h2>{t.abandoned}</h2><span className="count">{t.threads(health.abandoned_threads, health.abandoned_coroutines)}</span>
        <span className="end"><span className="help">{t.busy(health.busy_threads)}</span></span>
      </div>
      {items.length === 0 ? <p className="panel-body muted">{t.noneAbandoned}</p> : (
        <>
          <div className="scroll" tabIndex={0} role="group" aria-label={t.abandoned}>
            <table className="tbl">
              <thead><tr><th>{t.run}</th><th>{t.job}</th><th>{t.step}</th><th>{t.nowAt}</th><th className="num">{t.elapsed}</th></tr></thead>
              <tbody>
                {items.map((item) => (
                  <tr key={`${item.run_id} ${item.step}`}>
                    <td><Link to={`/nomaflow/runs/${item.run_id}`}>{item.run_id}</Link></td>
                    <td className="b">{item.job}</td>
                    <td className="muted">{item.step}</td>
                    <td className="mono" title={item.where}>{shortPlace(item.where)}</td>
                    <td className="num"><Duration since={item.since} /></td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
          <p className="panel-body help">{t.abandonedHelp}</p>
        </>
      )}
    </section>
  );
}
