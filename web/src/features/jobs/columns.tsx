/** The columns of the jobs table; the classes place the fields on phones, too. */
import { useRights } from "~/api/me";
import type { JobActions } from "~/features/jobs/actions";
import type { Row } from "~/features/jobs/row";
import { texts } from "~/features/jobs/texts";
import { useTexts } from "~/lib/i18n";
import { Button } from "~/ui/Button";
import type { Column } from "~/ui/DataTable";
import { Duration, Time } from "~/ui/Time";
import { Icon } from "~/ui/Icon";
import { Status } from "~/ui/Status";
import { Toggle } from "~/ui/Toggle";

export function useColumns(actions: JobActions): readonly Column<Row>[] {
  const t = useTexts(texts);
  const { may, mayJob } = useRights();
  const mayEdit = may("settings:jobs");
  return [
    { key: "state", header: t.state, className: "c-st", cell: (row) => <State row={row} /> },
    { key: "job", header: t.job, className: "c-name", sort: "ascending", cell: (row) => <Name row={row} /> },
    { key: "schedule", header: t.schedule, className: "c-sch", cell: (row) => <ScheduleCell row={row} /> },
    { key: "last", header: t.lastAndNext, className: "c-ln", cell: (row) => <LastAndNext row={row} /> },
    ...(mayEdit
      ? [{
          key: "on", header: t.on, className: "c-on",
          cell: (row: Row) => (
            <Toggle
              label={t.enabled(row.name)}
              checked={row.job.enabled}
              disabled={row.state === "quarantined" || actions.enable.isPending}
              onChange={(on) => actions.enable.mutate({ name: row.name, on })}
            />
          ),
        }]
      : []),
    {
      key: "actions",
      header: <span className="sr">{t.actions}</span>,
      className: "c-act",
      cell: (row) => {
        const { last_run: last } = row.job;
        if (row.state === "running" && last !== null && mayJob("abort", row.name, row.app)) {
          return (
            <Button small tone="quiet" icon="s-abort" aria-label={t.abort(row.name)} title={t.abort(row.name)}
              onClick={() => actions.abort.mutate({ name: row.name, runId: last.run_id })} />
          );
        }
        if (!mayJob("run", row.name, row.app)) return null;
        return (
          <Button small tone="quiet" icon="play" aria-label={t.runNow(row.name)} title={t.runNow(row.name)}
            disabled={row.state === "quarantined"} onClick={() => actions.run.mutate(row.name)} />
        );
      },
    },
  ];
}

function State({ row }: { row: Row }) {
  const t = useTexts(texts);
  const { job } = row;
  const until = job.pause?.until;
  return (
    <>
      <Status value={row.state} of="job" />
      {row.state === "running" && (
        <div className="sub">
          {job.in_flight > 1 ? t.running(job.in_flight) : <>{job.last_run?.current_step} <Duration since={job.last_run?.started_at ?? null} /></>}
        </div>
      )}
      {row.state === "paused" && until != null && <div className="sub">{t.until} <Time at={until} look="absolute" /></div>}
      {row.state === "failing" && <div className="sub"><Time at={job.last_run?.finished_at} zone={job.timezone} /></div>}
    </>
  );
}

function Name({ row }: { row: Row }) {
  return (
    <>
      <span className="jn">{row.name}</span>
      <div className="meta">
        <span>{row.app}</span>
        {row.tags.map((tag) => <span key={tag} className="tag">{tag}</span>)}
      </div>
    </>
  );
}

function ScheduleCell({ row }: { row: Row }) {
  const t = useTexts(texts);
  const [problem] = row.job.problems;
  if (row.state === "quarantined" && problem !== undefined) {
    const file = problem.file?.split("/").slice(-2).join("/");
    const place = file && `${file}${problem.line === null ? "" : `:${problem.line}`}`;
    return (
      <div className="qerr">
        <Icon name="s-q" />
        <div>
          {place && <code>{place}</code>} {problem.message}
          <div className="sub">{t.quarantineHelp}</div>
        </div>
      </div>
    );
  }
  if (row.job.schedule === null) {
    return <><div className="w">{t.noSchedule}</div><div className="sub">{t.byHand}</div></>;
  }
  return (
    <div className="trunc">
      <code className="cron">{row.job.schedule}</code>
      {row.job.timezone && <span className="zone"> · {row.job.timezone}</span>}
    </div>
  );
}

function LastAndNext({ row }: { row: Row }) {
  const t = useTexts(texts);
  const { last_run: last, next_fire_at: next, timezone } = row.job;
  return (
    <>
      <div><span className="k">{t.last}</span> <Time at={last?.started_at ?? last?.queued_at} zone={timezone} /></div>
      <div><span className="k">{t.next}</span> <Time at={next} zone={timezone} /></div>
    </>
  );
}
