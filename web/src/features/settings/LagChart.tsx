/** How late the event loops answered in the last half hour, and the line of code that was to blame. */
import { Link } from "react-router";

import { LAG_LIMIT_MS, lagHeight, shortPlace, worstLag, type Health } from "~/features/settings/health";
import { texts } from "~/features/settings/texts";
import { useTexts } from "~/lib/i18n";
import { clock, duration } from "~/lib/time";
import { Icon } from "~/ui/Icon";

const WIDTH = 600;
const HEIGHT = 96;
const SPAN_MS = 30 * 60_000;
const SHOWN = 3;

const y = (ms: number) => lagHeight(ms) * HEIGHT;
const top = (ms: number) => ({ top: `${lagHeight(ms) * 100}%` });

export function LagChart({ health, className }: { health: Health; className: string }) {
  const t = useTexts(texts);
  const { samples, holders } = health.lag;
  const end = Date.parse(samples.at(-1)?.at ?? "") || 0;
  const x = (at: string) => Math.max(0, WIDTH * (1 - (end - Date.parse(at)) / SPAN_MS));
  const worst = worstLag(health);
  const path = samples.map((sample, index) => `${index === 0 ? "M" : "L"}${x(sample.at).toFixed(1)} ${y(sample.worst_ms).toFixed(1)}`).join("");
  const ticks = [30, 20, 10, 0].map((minutes) => end - minutes * 60_000);
  return (
    <section className={`panel ${className}`} aria-label={t.lag}>
      <div className="panel-head"><h2>{t.lag}</h2><span className="count">{t.lagFor}</span></div>
      <div className="panel-body">
        {worst !== null && (
          <>
            <div className="lagw">
              <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={t.lagLabel(duration(worst.worst_ms))}>
                <path className="lag-limit" d={`M0 ${y(LAG_LIMIT_MS)}H${WIDTH}`} />
                <path className="lag-grid" d={`M0 ${y(10)}H${WIDTH}M0 ${y(1000)}H${WIDTH}`} />
                <path className="lag-line" d={path} />
              </svg>
              <span className="yl" style={top(1000)}>{duration(1000)}</span>
              <span className="yl tw" style={top(LAG_LIMIT_MS)}>{t.limit(duration(LAG_LIMIT_MS))}</span>
              <span className="yl" style={top(10)}>{duration(10)}</span>
            </div>
            <div className="xl" aria-hidden="true">{ticks.map((at) => <span key={at}>{clock(new Date(at)).slice(0, 5)}</span>)}</div>
          </>
        )}
        {holders.length === 0 ? <p className="help">{t.noHolder}</p> : (
          <ul className="holders">
            {[...holders].reverse().slice(0, SHOWN).map((holder) => (
              <li key={`${holder.at} ${holder.where}`} className="note warn">
                <Icon name="warn" />
                <span>
                  <b>{t.held(clock(new Date(holder.at)), duration(holder.lag_ms))}</b>{" "}
                  {holder.run_id !== null && <>{t.heldBy} <Link to={`/nomaflow/runs/${holder.run_id}`}>{holder.run_id}</Link> {holder.step} </>}
                  <code title={holder.where}>{shortPlace(holder.where)}</code>. {holder.advice}.
                </span>
              </li>
            ))}
          </ul>
        )}
      </div>
    </section>
  );
}
