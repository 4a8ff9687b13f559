/** What stands in the columns of the jobs table. */
import { Link, useNavigate } from "react-router";

import { editPlace, jobPlace, runPlace } from "~/features/jobs/places";
import { useMay } from "~/features/jobs/may";
import { useOpen } from "~/features/jobs/over";
import type { Row } from "~/features/jobs/row";
import { texts } from "~/features/jobs/texts";
import { useTexts } from "~/lib/i18n";
import { useNow } from "~/lib/now";
import { duration, viewerZone } from "~/lib/time";
import { Icon } from "~/ui/Icon";
import { Status } from "~/ui/Status";
import { Strip } from "~/ui/Strip";
import { SLOTS, type Instant } from "~/ui/strip";
import { Duration, Time } from "~/ui/Time";

const MOST_FAILURES = 10;
const OVER = 1.25; // the bar ends at this multiple of the usual time, so that its mark has a place

export function State({ row }: { row: Row }) {
  const t = useTexts(texts);
  const { job } = row;
  return (
    <>
      <Status value={row.state} of="job" />
      {row.state === "running" && <Progress row={row} />}
      {row.state === "failing" && (
        <div className="sub" title={job.last_run?.reason ?? undefined}>
          {job.failures_in_a_row > 1 && <>{t.inARow(job.failures_in_a_row, job.failures_in_a_row >= MOST_FAILURES)} · </>}
          <Time at={job.failing_since} />
        </div>
      )}
      {row.state === "late" && <div className="sub">{t.waits} <Duration since={job.late_since} /></div>}
      {row.state === "paused" && (
        <div className="sub trunc" title={job.pause?.reason ?? undefined}>
          {job.pause?.until == null ? t.untilResumed : <>{t.until} <Time at={job.pause.until} /></>}
        </div>
      )}
    </>
  );
}

/** How long it has been running against how long it usually takes. */
function Progress({ row }: { row: Row }) {
  const t = useTexts(texts);
  const { last_run: last, p50_ms: usual, running, in_flight: inFlight } = row.job;
  const since = last?.status === "running" ? last.started_at : null;
  const part = useNow((now) => (since == null || !usual ? -1 : Math.round(Math.min(100, (100 * (now.getTime() - Date.parse(since))) / (usual * OVER)))));
  if (running > 1 || inFlight > running) return <div className="sub">{t.running(running, inFlight - running)}</div>;
  if (since == null) return null;
  if (!usual) return <div className="sub"><Duration since={since} /></div>;
  return (
    <>
      <div className={part > 100 / OVER ? "job-prog over" : "job-prog"} aria-hidden="true">
        <i style={{ width: `${part}%` }} />
        <b style={{ left: `${100 / OVER}%` }} />
      </div>
      <div className="sub"><Duration since={since} /> {t.ofAbout(duration(usual))}</div>
    </>
  );
}

export function Name({ row }: { row: Row }) {
  return (
    <>
      <Link className="jn" to={jobPlace(row.name)} title={row.job.description || undefined}>{row.name}</Link>
      <div className="meta">
        <span>{row.app}</span>
        {row.tags.map((tag) => <span key={tag} className="tag">{tag}</span>)}
      </div>
      {row.state === "quarantined" && <div className="qline">{row.job.problems[0]?.message}</div>}
    </>
  );
}

export const zoneOf = (row: Row) => row.job.schedules[0]?.timezone ?? null;

export function StripCell({ row }: { row: Row }) {
  const open = useOpen();
  const navigate = useNavigate();
  const zone = zoneOf(row);
  const shown = row.instants.slice(-SLOTS);
  const why = (instant: Instant) =>
    open({ what: "why", job: row.name, zone, at: instant.at, slot: SLOTS - shown.length + shown.indexOf(instant) });
  return (
    <div data-strip={row.name}>
      <Strip
        job={row.name}
        zone={zone}
        instants={row.instants}
        onOpen={(instant) => (instant.runId !== null && RAN.has(instant.verdict) ? void navigate(runPlace(instant.runId)) : why(instant))}
        onWhy={why}
      />
    </div>
  );
}

/** Where nothing ran, a click asks why instead of opening a run with nothing in it. */
const RAN: ReadonlySet<string> = new Set(["succeeded", "failed", "partial-success", "ran-late", "caught-up", "aborted", "running"]);

export function ScheduleCell({ row }: { row: Row }) {
  const t = useTexts(texts);
  const { edit } = useMay();
  const [problem] = row.job.problems;
  if (problem !== undefined && (row.state === "quarantined" || row.state === "never-due")) {
    const file = problem.file?.split("/").slice(-2).join("/");
    const place = file && `${file}${problem.line == null ? "" : `:${problem.line}`}`;
    return (
      <div className="qerr">
        <Icon name={row.state === "quarantined" ? "s-q" : "s-late"} />
        <div>
          {place && <code>{place}</code>} {problem.message}
          <div className="sub">
            {t.quarantineHelp} {edit && <Link to={editPlace(row.name)}>{problem.line == null ? t.edit : t.openAtLine(problem.line)}</Link>}
          </div>
        </div>
      </div>
    );
  }
  const [first, ...more] = row.job.schedules;
  if (first === undefined) return <><div className="w">{t.noSchedule}</div><div className="sub">{t.byHand}</div></>;
  const zone = first.timezone === viewerZone ? null : first.timezone;
  return (
    <div title={[first, ...more].map((one) => `${one.text} (${one.timezone})`).join("\n")}>
      <div className="w trunc">{first.text}</div>
      <div className="trunc">
        {more.length > 0 ? <span className="sub">{t.moreSchedules(more.length)}</span> : first.schedule !== first.text && <code className="cron">{first.schedule}</code>}
        {zone && <span className="zone"> · {zone.split("/").at(-1)?.replaceAll("_", " ")}</span>}
      </div>
    </div>
  );
}

export function LastAndNext({ row }: { row: Row }) {
  const t = useTexts(texts);
  const { last_run: last, next_fire_at: next } = row.job;
  const zone = zoneOf(row);
  const shown = <Time at={last?.started_at ?? last?.queued_at} zone={zone} />;
  return (
    <>
      <div><span className="k">{t.last}</span> {last === null ? shown : <Link to={runPlace(last.run_id)}>{shown}</Link>}</div>
      <div>
        <span className="k">{t.next}</span>{" "}
        {row.state === "late" ? <span className="wn">{t.waitsNow}</span> : <Time at={next} zone={zone} />}
        {row.job.state === "frozen" && <span className="heldmk"><Icon name="s-hold" small /><span className="sr">{t.heldByFreeze}</span></span>}
      </div>
    </>
  );
}
