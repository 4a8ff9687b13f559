/** The processes that share this history: which one leads, which one has fallen silent. */
import { isSilent, type Health } from "~/features/settings/health";
import { texts } from "~/features/settings/texts";
import { useTexts } from "~/lib/i18n";
import { useNow } from "~/lib/now";
import { Icon } from "~/ui/Icon";
import { Time } from "~/ui/Time";

const SECONDS = 5000;

export function Replicas({ health, className }: { health: Health; className: string }) {
  const t = useTexts(texts);
  const now = useNow((time) => Math.floor(time.getTime() / SECONDS) * SECONDS);
  const all = [...health.replicas].sort((one, other) => one.id.localeCompare(other.id));
  const alive = all.filter((replica) => !isSilent(replica, now));
  const versions = [...new Set(alive.map((replica) => replica.version))];
  return (
    <section className={`panel ${className}`} aria-label={t.replicas}>
      <div className="panel-head"><h2>{t.replicas}</h2><span className="count">{t.alive_(alive.length, all.length)}</span></div>
      <div className="scroll" tabIndex={0} role="group" aria-label={t.replicas}>
        <table className="tbl">
          <thead><tr><th>{t.replica}</th><th>{t.state}</th><th>{t.role}</th><th>{t.lastBeat}</th><th>{t.since}</th><th>{t.version}</th></tr></thead>
          <tbody>
            {all.map((replica) => {
              const silent = isSilent(replica, now);
              return (
                <tr key={replica.id}>
                  <td className="b" title={`${replica.host}, pid ${replica.pid}`}>{replica.id}{replica.id === health.replica && <span className="tag here">{t.here}</span>}</td>
                  <td><span className={`st st-${silent ? "bad" : "ok"}`}><Icon name={silent ? "s-miss" : "s-ok"} />{silent ? t.isSilent : t.isAlive}</span></td>
                  <td>{health.lease?.holder === replica.id ? t.leads : replica.role}</td>
                  <td><Time at={replica.beat_at} /></td>
                  <td><Time at={replica.started_at} /></td>
                  <td className="mono faint">{replica.version}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      {versions.length > 1 && <p className="panel-body help">{t.versions(versions.join(", "))}</p>}
    </section>
  );
}
