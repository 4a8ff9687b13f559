/** Every job on one page: what state it is in, when it ran and will run; start it, stop it, switch it. */
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useMemo } from "react";

import { useJobActions } from "~/features/jobs/actions";
import { BulkBar } from "~/features/jobs/BulkBar";
import { FreezeNote } from "~/features/jobs/FreezeNote";
import { JobsTable, ROW_HEIGHT } from "~/features/jobs/JobsTable";
import { Legend } from "~/features/jobs/Legend";
import { useJobsLive } from "~/features/jobs/live";
import { useMay } from "~/features/jobs/may";
import { Overs } from "~/features/jobs/Overs";
import { NEW_JOB } from "~/features/jobs/places";
import { overviewQuery } from "~/features/jobs/queries";
import { knownOf, readRow, rowOf } from "~/features/jobs/row";
import { useSelection } from "~/features/jobs/selection";
import { StateTabs } from "~/features/jobs/StateTabs";
import { texts } from "~/features/jobs/texts";
import { parse, passes, useFilter } from "~/lib/filter";
import { useTexts } from "~/lib/i18n";
import { connection } from "~/lib/live";
import { useStore } from "~/lib/store";
import { Button, ButtonLink } from "~/ui/Button";
import { FilterBar } from "~/ui/FilterBar";
import { PageHead } from "~/ui/PageHead";
import { SavedFilters } from "~/ui/SavedFilters";
import { EmptyState, ErrorState, FilteredState, SkeletonRows } from "~/ui/States";
import "~/features/jobs/jobs.css";
import "~/features/jobs/cards.css";

const NextDay = lazy(() => import("~/features/jobs/NextDay"));

export default function JobsPage() {
  const t = useTexts(texts);
  const may = useMay();
  const jobs = useQuery(overviewQuery);
  const actions = useJobActions();
  const chosen = useSelection();
  const [filter, setFilter] = useFilter();
  const { state: live } = useStore(connection);
  useJobsLive();

  const rows = useMemo(() => (jobs.data?.items ?? []).map((job) => rowOf(job, jobs.data?.outcomes ?? {})), [jobs.data]);
  const known = useMemo(() => knownOf(rows), [rows]);
  const shown = useMemo(() => {
    const words = parse(filter);
    return rows.filter((row) => passes(words, readRow(row)));
  }, [rows, filter]);
  return (
    <Overs>
      <PageHead
        title={t.title}
        actions={
          (may.reload || may.edit) && (
            <>
              {may.reload && <Button className="wide-only" icon="refresh" busy={actions.reload.isPending} onClick={() => actions.reload.mutate()}>{t.reload}</Button>}
              {may.edit && <ButtonLink to={NEW_JOB} tone="primary" icon="plus">{t.newJob}</ButtonLink>}
            </>
          )
        }
      >
        {live === "live" && <span className="live"><i />{t.live}</span>}
      </PageHead>
      <FreezeNote actions={actions} />
      {jobs.isError && jobs.data === undefined ? (
        <ErrorState error={jobs.error} title={t.failedTitle} onRetry={() => void jobs.refetch()} />
      ) : (
        <>
          <StateTabs rows={rows} filter={filter} onFilter={setFilter} />
          <FilterBar label={t.filter} placeholder={t.filterHint} value={filter} onChange={setFilter} known={known} summary={jobs.isPending ? "" : t.summary(shown.length, rows.length)}>
            <SavedFilters page="jobs" filter={filter} onFilter={setFilter} />
          </FilterBar>
          <div className="cols">
            <section className="panel jobs" aria-label={t.label}>
              {jobs.isPending ? (
                <SkeletonRows rows={10} height={ROW_HEIGHT} />
              ) : rows.length === 0 ? (
                <EmptyState icon="empty" title={t.emptyTitle} actions={may.edit && <ButtonLink to={NEW_JOB} tone="primary" icon="plus">{t.newJob}</ButtonLink>}>{t.empty}</EmptyState>
              ) : shown.length === 0 ? (
                <FilteredState filter={filter} hidden={rows.length} onClear={() => setFilter("")} />
              ) : (
                <>
                  <JobsTable rows={shown} actions={actions} chosen={chosen} />
                  <Legend />
                </>
              )}
            </section>
            {/* After the jobs: the forecast is work for the server, and nobody should wait for a row because of it. */}
            <Suspense fallback={<div className="rail" />}>{jobs.isPending ? <div className="rail" /> : <NextDay />}</Suspense>
          </div>
          <BulkBar rows={shown} actions={actions} chosen={chosen} />
        </>
      )}
    </Overs>
  );
}
