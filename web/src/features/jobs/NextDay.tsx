/** The next 24 hours on a true time scale: connections needed on the busiest pool, what fires, freezes. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";

import { DAY_PX, HOUR_PX, hours, labels, place, quarters, rhythm, type Label } from "~/features/jobs/agenda";
import { jobPlace, SCHEDULE } from "~/features/jobs/places";
import { loadQuery, type Load } from "~/features/jobs/queries";
import { texts } from "~/features/jobs/texts";
import { locale, useTexts } from "~/lib/i18n";
import { clock, duration, hover, viewerZone } from "~/lib/time";
import { Icon } from "~/ui/Icon";
import { ErrorState } from "~/ui/States";

const LOAD_PX = 40;
const BAR_PX = HOUR_PX / 4 - 2;
const LIMIT_PX = 34;
const MOST_REPEATING = 8;

export default function NextDay() {
  const t = useTexts(texts);
  const { data, isPending, error } = useQuery(loadQuery);
  return (
    <aside className="rail" aria-labelledby="next-day">
      <div className="panel">
        <div className="panel-head">
          <h2 id="next-day">{t.nextDay}</h2>
          <span className="end"><Link to={SCHEDULE}>{t.weekView}</Link></span>
        </div>
        {data !== undefined ? <Day load={data} /> : isPending ? <div className="tl-wait" role="status" aria-label={t.nextDay} /> : <ErrorState error={error} />}
      </div>
    </aside>
  );
}

function Day({ load }: { load: Load }) {
  const t = useTexts(texts);
  const shown = labels(load);
  const repeating = rhythm(load);
  if (shown.length === 0 && repeating.length === 0) {
    return <>{load.freezes.map((one) => <p key={one.since} className="foot">{one.text}</p>)}<p className="foot">{t.nothingDue}</p></>;
  }
  const often = repeating.slice(0, MOST_REPEATING);
  const [pool] = load.pools;
  return (
    <>
      {often.length > 0 && (
        <ul className="rhythm" aria-label={t.repeating}>
          {often.map((one) => <li key={one.job}><Link className="trunc" to={jobPlace(one.job)}>{one.job}</Link><span>{one.text ?? t.times(one.times)}</span></li>)}
          {repeating.length > often.length && <li className="faint">{t.moreJobs(repeating.length - often.length)}</li>}
        </ul>
      )}
      <div className="tl" style={{ height: DAY_PX + 16 }}>
        <div className="hours" aria-hidden="true">
          {hours(load, viewerZone, locale()).map((hour) => <span key={hour.at} style={{ top: hour.at }}>{hour.text}</span>)}
        </div>
        <Bars load={load} shown={shown} />
        <div className="now" style={{ top: 0 }}><span>{short(load.since)}</span></div>
        {load.freezes.map((one) => {
          const top = Math.max(0, place(load, one.since));
          const end = one.until === null ? DAY_PX : Math.min(DAY_PX, place(load, one.until));
          return (
            <div key={one.since} className="freeze" style={{ top, height: Math.max(20, end - top) }}>
              <div title={one.text}><Icon name="s-hold" /><b>{t.freeze}</b> {one.until !== null && <>{t.until} {short(one.until)}</>}</div>
            </div>
          );
        })}
        <ol className="evs">{shown.map((label) => <Event key={label.first} label={label} load={load} />)}</ol>
      </div>
      <p className="foot">
        {pool === undefined ? t.noPools : t.loadFoot(pool.pool, pool.peak, pool.limit)} {load.truncated && t.truncated}
      </p>
    </>
  );
}

const short = (at: string) => clock(new Date(at)).slice(0, 5);

function Event({ label, load }: { label: Label; load: Load }) {
  const t = useTexts(texts);
  const [job = ""] = label.jobs;
  const together = label.jobs.length > 1;
  const [pool] = load.pools;
  const need = pool?.needed[Math.floor(((Date.parse(label.first) - Date.parse(load.since)) / 1000) / load.slot_seconds)] ?? 0;
  const over = pool !== undefined && need > pool.limit;
  const when = label.first === label.last ? short(label.first) : `${short(label.first)}–${short(label.last)}`;
  const more = label.held !== null ? t.held : over ? t.needs(need, pool.limit) : label.preset !== null ? t.preset(label.preset) : label.expected !== null ? t.about(duration(label.expected)) : null;
  return (
    <li className={over ? "warn" : undefined} style={{ top: label.top }} title={together ? label.jobs.join("\n") : hover(new Date(label.first))}>
      {together && <Icon name="collide" />}
      {together ? <b>{label.first === label.last ? t.startTogether(label.jobs.length) : t.jobs(label.jobs.length)}</b> : <Link className="trunc" to={jobPlace(job)}>{job}</Link>}
      <small>{when}{more !== null && <> · {more}</>}</small>
    </li>
  );
}

/** Bars of the busiest pool against its limit, and lines from a fire's true place to its label. */
function Bars({ load, shown }: { load: Load; shown: readonly Label[] }) {
  const t = useTexts(texts);
  const [pool] = load.pools;
  const needed = pool === undefined ? [] : quarters(pool.needed, load.slot_seconds);
  const unit = pool === undefined ? 0 : LIMIT_PX / pool.limit;
  const bar = (need: number, slot: number) => `M0 ${slot * (HOUR_PX / 4) + 1}h${Math.min(LOAD_PX, need * unit)}v${BAR_PX}h-${Math.min(LOAD_PX, need * unit)}z`;
  const draw = (fits: (need: number) => boolean) => needed.map((need, slot) => (need > 0 && fits(need) ? bar(need, slot) : "")).join("");
  const limit = pool?.limit ?? 0;
  return (
    <svg
      className="loadp" width={LOAD_PX} height={DAY_PX} viewBox={`0 0 ${LOAD_PX} ${DAY_PX}`} role="img"
      aria-label={pool === undefined ? t.noPools : t.loadLabel(pool.pool, pool.peak, pool.limit, pool.peak_at === null ? "" : short(pool.peak_at))}
    >
      <path className="load-bar" d={draw((need) => need <= limit)} />
      <path className="load-over" d={draw((need) => need > limit)} />
      {pool !== undefined && <path className="load-limit" d={`M${LIMIT_PX + 0.5} 0V${DAY_PX}`} />}
      <path className="load-lead" d={shown.map((label) => `M38 ${label.at}h4L50 ${label.top}h4`).join("")} />
    </svg>
  );
}
