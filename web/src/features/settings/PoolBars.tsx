/** Connections of each pool: in use, idle, and how many are open. */
import { Link } from "react-router";

import { useRights } from "~/api/me";
import { poolsOf, type Health } from "~/features/settings/health";
import { texts } from "~/features/settings/texts";
import { useTexts } from "~/lib/i18n";
import { Icon } from "~/ui/Icon";

export function PoolBars({ health, className }: { health: Health; className: string }) {
  const t = useTexts(texts);
  const { may } = useRights();
  return (
    <section className={`panel ${className}`} aria-label={t.pools}>
      <div className="panel-head">
        <h2>{t.pools}</h2>
        <div className="legend"><span><i className="sw u" />{t.inUse}</span><span><i className="sw d" />{t.idle}</span><span><i className="sw" />{t.notOpened}</span></div>
        {(may("settings:connectors") || may("settings:technical")) && <span className="end"><Link to="/settings/pools">{t.toPools}</Link></span>}
      </div>
      <ul className="pools">
        {poolsOf(health).map((pool) => {
          const open = pool.checked_out + pool.idle;
          return (
            <li key={pool.pool}>
              <div className="pn"><b className="trunc">{pool.pool}</b><small>{pool.dialect}</small></div>
              <PoolBar inUse={pool.checked_out} idle={pool.idle} limit={Math.max(pool.size, open)} />
              <div className="pv"><span><b>{pool.checked_out}</b> {t.inUse}</span><span><b>{pool.idle}</b> {t.idle}</span></div>
              <div className="pw">
                {pool.problem !== undefined
                  ? <span className="st st-bad" title={pool.problem}><Icon name="s-bad" />{pool.problem}</span>
                  : <span className="faint">{pool.size === 0 ? t.notYet : t.of(open, Math.max(pool.size, open))}</span>}
              </div>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

export function PoolBar({ inUse, idle, limit }: { inUse: number; idle: number; limit: number }) {
  const t = useTexts(texts);
  const whole = Math.max(1, limit);
  return (
    <div className="pbar" role="img" aria-label={t.poolBar(inUse, idle, inUse + idle, limit)}>
      <i className={limit > 0 && inUse >= limit ? "u full" : "u"} style={{ width: `${(inUse / whole) * 100}%` }} />
      <i className="d" style={{ width: `${(idle / whole) * 100}%` }} />
    </div>
  );
}
