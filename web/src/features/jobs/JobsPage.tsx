/** Every job on one page: what state it is in, when it ran and will run; start it, stop it, switch it. */
import { useQuery, useQueryClient } from "@tanstack/react-query";

import { jobsQuery } from "~/api/jobs";
import { useRights } from "~/api/me";
import { useJobActions } from "~/features/jobs/actions";
import { useColumns } from "~/features/jobs/columns";
import { readRow, rowOf, type Row } from "~/features/jobs/row";
import { StateTabs } from "~/features/jobs/StateTabs";
import { texts } from "~/features/jobs/texts";
import { parse, passes, useFilter } from "~/lib/filter";
import { useTexts } from "~/lib/i18n";
import { connection } from "~/lib/live";
import { useStore } from "~/lib/store";
import { useLive } from "~/lib/useLive";
import { Button } from "~/ui/Button";
import { DataTable } from "~/ui/DataTable";
import { FilterBar } from "~/ui/FilterBar";
import { PageHead } from "~/ui/PageHead";
import { EmptyState, ErrorState, FilteredState, SkeletonRows } from "~/ui/States";
import "~/features/jobs/jobs.css";

const ROW_HEIGHT = 52;

export default function JobsPage() {
  const t = useTexts(texts);
  const { may } = useRights();
  const queries = useQueryClient();
  const jobs = useQuery(jobsQuery);
  const actions = useJobActions();
  const [filter, setFilter] = useFilter();
  const { state: live } = useStore(connection);
  const again = () => void queries.invalidateQueries({ queryKey: jobsQuery.queryKey });
  useLive({ jobs: true }, { runMoved: again, reloaded: again, again });

  const rows = (jobs.data ?? []).map(rowOf);
  const words = parse(filter);
  const shown = rows.filter((row) => passes(words, readRow(row)));
  return (
    <>
      <PageHead
        title={t.title}
        actions={
          (may("settings:jobs") || may("settings:reload")) && (
            <Button icon="refresh" busy={actions.reload.isPending} onClick={() => actions.reload.mutate()}>{t.reload}</Button>
          )
        }
      >
        {live === "live" && <span className="live"><i />{t.live}</span>}
      </PageHead>
      {jobs.isError && jobs.data === undefined ? (
        <ErrorState error={jobs.error} title={t.failedTitle} onRetry={() => void jobs.refetch()} />
      ) : (
        <>
          <StateTabs rows={rows} filter={filter} onFilter={setFilter} />
          <FilterBar label={t.filter} placeholder={t.filterHint} value={filter} onChange={setFilter} summary={jobs.isPending ? "" : t.summary(shown.length, rows.length)} />
          <section className="panel jobs" aria-label={t.label}>
            {jobs.isPending ? (
              <SkeletonRows rows={10} height={ROW_HEIGHT} />
            ) : rows.length === 0 ? (
              <EmptyState icon="empty" title={t.emptyTitle}>{t.empty}</EmptyState>
            ) : shown.length === 0 ? (
              <FilteredState filter={filter} hidden={rows.length} onClear={() => setFilter("")} />
            ) : (
              <Table rows={shown} actions={actions} />
            )}
          </section>
        </>
      )}
    </>
  );
}

function Table({ rows, actions }: { rows: readonly Row[]; actions: ReturnType<typeof useJobActions> }) {
  const t = useTexts(texts);
  const { mayJob } = useRights();
  const columns = useColumns(actions);
  return (
    <DataTable
      label={t.label}
      rows={rows}
      columns={columns}
      rowKey={(row) => row.name}
      rowHeight={ROW_HEIGHT}
      rowClass={(row) => (row.job.enabled && row.state !== "quarantined" ? undefined : "off")}
      moveTexts={{ next: t.nextRow, previous: t.previousRow, open: t.openRow }}
      rowKeys={[
        {
          keys: "r", does: t.run,
          run: (row) => { if (row.state !== "quarantined" && mayJob("run", row.name, row.app)) actions.run.mutate(row.name); },
        },
      ]}
    />
  );
}
