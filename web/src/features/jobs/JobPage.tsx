/** One job whole: how it is doing, when it fires, what it did, and everything one may do to it. */
import { useQuery } from "@tanstack/react-query";
import { useParams } from "react-router";

import { useJobActions } from "~/features/jobs/actions";
import { Backfills } from "~/features/jobs/Backfills";
import { LastAndNext, StripCell } from "~/features/jobs/cells";
import { FreezeNote } from "~/features/jobs/FreezeNote";
import { JobFacts } from "~/features/jobs/JobFacts";
import { JobHead } from "~/features/jobs/JobHead";
import { JobRuns } from "~/features/jobs/JobRuns";
import { JobSchedules } from "~/features/jobs/JobSchedules";
import { Legend } from "~/features/jobs/Legend";
import { useJobsLive } from "~/features/jobs/live";
import { Marks } from "~/features/jobs/Marks";
import { Overs } from "~/features/jobs/Overs";
import { detailQuery, overviewQuery, type Detail } from "~/features/jobs/queries";
import { rowOf, type Row } from "~/features/jobs/row";
import { texts } from "~/features/jobs/texts";
import { useTexts } from "~/lib/i18n";
import { Icon } from "~/ui/Icon";
import { PageHead } from "~/ui/PageHead";
import { ErrorState, SkeletonRows } from "~/ui/States";
import "~/features/jobs/jobs.css";
import "~/features/jobs/job-page.css";

export default function JobPage() {
  const { "*": name = "" } = useParams();
  const t = useTexts(texts);
  const detail = useQuery(detailQuery(name));
  const overview = useQuery(overviewQuery);
  useJobsLive(name);
  const found = overview.data?.items.find((job) => job.name === name);
  if (detail.isError && detail.data === undefined) return <ErrorState error={detail.error} title={t.jobFailed} onRetry={() => void detail.refetch()} />;
  if (detail.data === undefined || (found === undefined && overview.isPending)) {
    return <><PageHead title={name} /><div className="panel"><SkeletonRows rows={8} height={40} /></div></>;
  }
  // Gone from one answer before the other: a job that is being renamed or deleted just now.
  if (found === undefined) return <ErrorState error={overview.error ?? new Error(t.jobGone)} title={t.jobFailed} onRetry={() => void overview.refetch()} />;
  return <Overs><Job row={rowOf(found, overview.data?.outcomes ?? {})} detail={detail.data} /></Overs>;
}

function Job({ row, detail }: { row: Row; detail: Detail }) {
  const t = useTexts(texts);
  const actions = useJobActions();
  return (
    <>
      <JobHead row={row} actions={actions} />
      <FreezeNote actions={actions} />
      {detail.problems.map((problem) => (
        <div key={`${problem.key} ${problem.message}`} className="note bad job-note" role="alert">
          <Icon name="s-q" />
          <span>{problem.file && <code>{problem.file.split("/").slice(-2).join("/")}{problem.line != null && `:${problem.line}`}</code>} {problem.message} {row.state === "quarantined" && t.quarantineHelp}</span>
        </div>
      ))}
      {detail.description !== "" && <p className="muted job-about">{detail.description}</p>}
      {row.job.schedules.length > 0 && (
        <section className="panel job-strip" aria-labelledby="job-strip">
          <div className="panel-head"><h2 id="job-strip">{t.strip}</h2></div>
          <div className="panel-body big-strip"><StripCell row={row} /><div className="c-ln"><LastAndNext row={row} /></div></div>
          <Legend />
        </section>
      )}
      <div className="cols">
        <JobRuns job={detail} />
        <div className="job-side">
          <JobFacts row={row} detail={detail} actions={actions} />
          {detail.schedules.length > 0 && <JobSchedules schedules={detail.schedules} />}
          <Marks job={row.name} />
          {row.job.schedules.length > 0 && <Backfills job={row} />}
        </div>
      </div>
    </>
  );
}
