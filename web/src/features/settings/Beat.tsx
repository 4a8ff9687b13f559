/** The sentence that says how the scheduler is, and the five figures behind it. */
import type { ReactNode } from "react";

import { isSilent, LAG_LIMIT_MS, poolsOf, pulseOf, worstLag, type Health } from "~/features/settings/health";
import { texts } from "~/features/settings/texts";
import { useTexts } from "~/lib/i18n";
import { useNow } from "~/lib/now";
import { clock, duration } from "~/lib/time";
import { Icon, type IconName } from "~/ui/Icon";
import { Time } from "~/ui/Time";

const at = (instant: string | null) => (instant === null ? null : clock(new Date(instant)));
const SECONDS = 5000;

export function Beat({ health }: { health: Health }) {
  const t = useTexts(texts);
  const now = useNow((time) => Math.floor(time.getTime() / SECONDS) * SECONDS);
  const pulse = pulseOf(health);
  const tick = at(health.last_tick_at);
  const [head, rest]: readonly [string, string] = {
    alive: [t.alive, tick === null ? "" : t.judged(tick)] as const,
    standby: [t.standby, t.standbyBy(health.lease?.holder ?? "")] as const,
    off: [t.off, t.offHelp] as const,
    dead: [t.dead, tick === null ? t.deadEver : t.deadHelp(tick)] as const,
  }[pulse];
  const tone = { alive: "ok", standby: "idle", off: "warn", dead: "bad" }[pulse];
  const silent = health.replicas.filter((replica) => isSilent(replica, now)).length;
  const unusable = poolsOf(health).filter((pool) => pool.problem !== undefined).length;
  return (
    <>
      <div className="panel beat" role={pulse === "dead" ? "alert" : undefined}>
        <span className={`st st-${tone}`}><Icon name="pulse" /></span>
        <span className="grow"><b>{head}</b> {rest} {health.queue_depth > 0 ? t.waits : t.noWait}</span>
        {silent > 0 && <Pill tone="bad" icon="s-miss">{t.silent(silent)}</Pill>}
        {unusable > 0 && <Pill tone="bad" icon="s-bad">{t.unusable(unusable)}</Pill>}
        {health.quarantined > 0 && <Pill tone="q" icon="s-q">{t.quarantined(health.quarantined)}</Pill>}
        {health.never_due.length > 0 && <Pill tone="warn" icon="warn" title={health.never_due.join(", ")}>{t.neverDue(health.never_due.length)}</Pill>}
      </div>
      <Figures health={health} />
    </>
  );
}

function Pill({ tone, icon, title, children }: { tone: string; icon: IconName; title?: string; children: string }) {
  return <span className={`st st-${tone} pill`} title={title}><Icon name={icon} />{children}</span>;
}

function Figures({ health }: { health: Health }) {
  const t = useTexts(texts);
  const last = health.lag.samples.at(-1);
  const worst = worstLag(health);
  const { lease } = health;
  const slow = worst !== null && worst.worst_ms >= LAG_LIMIT_MS;
  return (
    <section className="panel stats" aria-label={t.heartbeat}>
      <Stat label={t.lastFire} value={at(health.last_fire_at) ?? t.never}>{health.last_fire_at !== null && <Time at={health.last_fire_at} />}</Stat>
      <Stat label={t.nextFire} value={at(health.next_fire_at) ?? t.none}>{health.next_fire_at !== null && <Time at={health.next_fire_at} />}</Stat>
      <Stat label={t.queue} value={t.waiting(health.queue_depth)}>{health.waiting > 0 ? t.hereWaiting(health.waiting) : t.noneWaiting}</Stat>
      <Stat label={t.lag} value={last === undefined ? "–" : duration(last.worst_ms)} warn={slow}>
        {worst === null ? t.unmeasured : t.worst(duration(worst.worst_ms), clock(new Date(worst.at)))}
      </Stat>
      <Stat label={t.lease} value={lease?.holder ?? t.noLease}>
        {lease === null ? t.noLeaseHelp : <span>{t.leaseNumber(lease.epoch)} <Time at={lease.renewed_at} /></span>}
      </Stat>
    </section>
  );
}

function Stat({ label, value, warn = false, children }: { label: string; value: string; warn?: boolean; children: ReactNode }) {
  return (
    <div className="stat">
      <span className="lbl">{label}</span>
      <b className="trunc" title={value}>{value}</b>
      <small className={warn ? "tw" : undefined}>{warn && <Icon name="warn" small />}{children}</small>
    </div>
  );
}
