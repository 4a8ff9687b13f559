/** One row per schedule and per preset with a schedule: in words, when next, how often in the week, on which clock. */
import { queryOptions, useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link, useNavigate } from "react-router";

import { api, ok } from "~/api/client";
import type { Foreseen } from "~/features/schedule/lanes";
import { isIn, type Range } from "~/features/schedule/range";
import { texts } from "~/features/schedule/texts";
import { parse, passes, useFilter } from "~/lib/filter";
import { useTexts } from "~/lib/i18n";
import { DataTable, type Column } from "~/ui/DataTable";
import { FilterBar } from "~/ui/FilterBar";
import { EmptyState, ErrorState, FilteredState, SkeletonRows } from "~/ui/States";
import { Status } from "~/ui/Status";
import { Time } from "~/ui/Time";

const ROW_HEIGHT = 41;

interface Row {
  key: string;
  job: string;
  app: string;
  tags: readonly string[];
  name: string;
  cron: string;
  words: string;
  zone: string;
  enabled: boolean;
  state: string;
  next: string | null;
  fires: number;
}

const overviewQuery = queryOptions({
  queryKey: ["overview", "schedules"],
  staleTime: 30_000,
  queryFn: async () => (await ok(api.GET("/admin/overview/jobs"))).items,
});

interface Props {
  range: Range;
  foreseen: Foreseen | undefined;
  now: number;
  /** The choice of views, which stands beside the filter. */
  views: ReactNode;
}

export function ScheduleList({ range, foreseen, now, views }: Props) {
  const t = useTexts(texts);
  const navigate = useNavigate();
  const [filter, setFilter] = useFilter();
  const overview = useQuery(overviewQuery);
  const fires = new Map<string, { next: string; count: number }>();
  for (const item of foreseen?.items ?? []) {
    const key = `${item.job} ${item.schedule}`;
    const known = fires.get(key);
    const at = Date.parse(item.at);
    if (at >= now && isIn(range, at)) fires.set(key, { next: known?.next ?? item.at, count: (known?.count ?? 0) + 1 });
  }
  const rows = (overview.data ?? []).flatMap((job) =>
    job.schedules.map((one): Row => {
      const key = `${job.name} ${one.key}`;
      const alone = job.schedules.length === 1 ? job.next_fire_at : null;
      return {
        key, job: job.name, app: job.app, tags: job.tags, name: one.key, cron: one.schedule, words: one.text, zone: one.timezone,
        enabled: one.enabled && job.enabled, state: job.state, next: fires.get(key)?.next ?? alone, fires: fires.get(key)?.count ?? 0,
      };
    }),
  );
  const words = parse(filter);
  const shown = rows.filter((row) => passes(words, (name) =>
    name === "" ? [row.job, row.app, row.words, ...row.tags] : name === "job" ? [row.job] : name === "app" ? [row.app] : name === "tag" ? row.tags : null));
  const columns: readonly Column<Row>[] = [
    { key: "job", header: t.job, className: "s-job", sort: "ascending", cell: (row) => <Link to={`/nomaflow/jobs/${row.job}`}>{row.job}</Link> },
    { key: "name", header: t.schedule, className: "s-name", cell: (row) => <Name row={row} /> },
    { key: "words", header: t.words, className: "s-words", cell: (row) => <><div className="trunc" title={row.words}>{row.words}</div><code className="faint trunc">{row.cron}</code></> },
    { key: "next", header: t.nextFire, className: "s-next", cell: (row) => (row.enabled ? <Time at={row.next} zone={row.zone} /> : <span className="faint">{t.off}</span>) },
    { key: "fires", header: t.fires, className: "s-fires num", cell: (row) => (row.fires > 0 ? row.fires.toLocaleString() : "–") },
    { key: "zone", header: t.zoneHead, className: "s-zone", cell: (row) => <span className="muted">{row.zone}</span> },
  ];
  if (overview.isError && overview.data === undefined) {
    return <ErrorState error={overview.error} title={t.failedTitle} onRetry={() => void overview.refetch()} />;
  }
  return (
    <>
      <div className="sched-bar">
        {views}
        <FilterBar label={t.filter} placeholder="job:  app:  tag:" value={filter} onChange={setFilter} summary={overview.isPending ? "" : t.schedules(shown.length, rows.length)} />
      </div>
      <section className="panel sched-list" aria-label={t.list}>
        {overview.isPending ? <SkeletonRows rows={10} height={ROW_HEIGHT} />
          : rows.length === 0 ? <EmptyState icon="cal" title={t.emptyTitle}>{t.empty}</EmptyState>
          : shown.length === 0 ? <FilteredState filter={filter} hidden={rows.length} onClear={() => setFilter("")} />
          : (
            <DataTable label={t.list} rows={shown} columns={columns} rowKey={(row) => row.key} rowHeight={ROW_HEIGHT}
              rowClass={(row) => (row.enabled ? undefined : "off")} onOpen={(row) => void navigate(`/nomaflow/jobs/${row.job}`)}
              moveTexts={{ next: t.nextRow, previous: t.previousRow, open: t.openRow }} />
          )}
      </section>
    </>
  );
}

function Name({ row }: { row: Row }) {
  const t = useTexts(texts);
  const [kind, name] = row.name.split(":", 2);
  return (
    <div className="row">
      <span>{name ?? t.main}</span>
      {kind === "preset" && <span className="tag">{t.preset}</span>}
      {(row.state === "paused" || row.state === "frozen" || row.state === "never-due") && <Status value={row.state} of="job" />}
    </div>
  );
}
