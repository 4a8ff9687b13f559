/** Every run one may see, newest first: find, watch, stop, repeat, take away as CSV. */
import { useQueryClient } from "@tanstack/react-query";
import { lazy, Suspense, useMemo, useState, type ComponentType } from "react";
import { useSearchParams } from "react-router";

import { BulkBar, BulkDialog, type Deed } from "~/features/runs/BulkBar";
import type { LogProps } from "~/features/runs/logSlot";
import { exportAddress, understand, type Run } from "~/features/runs/query";
import { number } from "~/features/runs/numbers";
import { RangePicker } from "~/features/runs/RangePicker";
import { RunsTable } from "~/features/runs/RunsTable";
import { useSelection } from "~/features/runs/selection";
import { StatusTabs, useCounts } from "~/features/runs/StatusTabs";
import { texts } from "~/features/runs/texts";
import { useRuns } from "~/features/runs/useRuns";
import { useRights } from "~/api/me";
import { parse, useFilter } from "~/lib/filter";
import { useTexts } from "~/lib/i18n";
import { connection } from "~/lib/live";
import { useStore } from "~/lib/store";
import { Button } from "~/ui/Button";
import { FilterBar } from "~/ui/FilterBar";
import { Icon } from "~/ui/Icon";
import { PageHead } from "~/ui/PageHead";
import { SavedFilters } from "~/ui/SavedFilters";
import { EmptyState, ErrorState, SkeletonRows } from "~/ui/States";
import "~/features/runs/runs.css";

const RunDrawer = lazy(() => import("~/features/runs/run/RunDrawer"));
const NEAR_TOP = 4;

export default function RunsPage({ Log }: { Log?: ComponentType<LogProps> }) {
  const t = useTexts(texts);
  const queries = useQueryClient();
  const { me } = useRights();
  const [filter, setFilter] = useFilter();
  const [search, setSearch] = useSearchParams();
  const opened = search.get("run");
  const words = useMemo(() => parse(filter), [filter]);
  // "Now" is when the filter was set: the span does not slide while one reads.
  const { asked, ignored } = useMemo(() => understand(words, new Date()), [words]);
  const counts = useCounts(asked);
  const runs = useRuns(asked, () => window.scrollY <= NEAR_TOP, () => void queries.invalidateQueries({ queryKey: ["runs", "counts"] }));
  const selection = useSelection();
  const [asking, ask] = useState<{ deed: Deed; runs: readonly Run[] } | null>(null);
  const { state: live } = useStore(connection);
  const { rows, waiting } = runs.window;
  // Whoever may only read has nothing to tick runs for.
  const mayAct = me.superuser || me.permissions.some((one) => /^(?:job|\*)(?::|$)/.test(one) && !one.endsWith(":read"));

  const open = (id: string | null) =>
    setSearch((before) => {
      const next = new URLSearchParams(before);
      if (id === null) next.delete("run");
      else next.set("run", id);
      return next;
    }, { preventScrollReset: true, replace: opened !== null });
  const one = useOne(ask);
  return (
    <>
      <PageHead
        title={t.title}
        actions={
          <>
            <Button icon="refresh" onClick={() => { runs.again(); void counts.refetch(); }}>{t.refresh}</Button>
            <a className="btn" href={exportAddress(asked)} download="runs.csv"><Icon name="dl" /><span>{t.csv}</span></a>
          </>
        }
      >
        {live === "live" && <span className="live"><i />{t.live}</span>}
      </PageHead>
      <StatusTabs counts={counts.data} words={words} onFilter={setFilter} />
      <FilterBar label={t.filter} placeholder={t.filterHint} value={filter} onChange={setFilter} summary="">
        <RangePicker words={words} onFilter={setFilter} />
        <SavedFilters page="runs" filter={filter} onFilter={setFilter} />
      </FilterBar>
      {ignored.length > 0 && <p className="note warn runs-note"><Icon name="warn" />{t.ignored(ignored.join(" "))}</p>}
      {counts.data?.looked_to != null && <p className="note runs-note"><Icon name="info" />{t.lookedTo(counts.data.looked_to)}</p>}
      {selection.size > 0 && <BulkBar runs={selection.runs} onAsk={(deed) => ask({ deed, runs: selection.runs })} onClear={selection.clear} />}
      <div className="newer" aria-live="polite">
        {waiting.length > 0 && (
          <button type="button" onClick={() => { window.scrollTo(0, 0); if (runs.window.above > 0) runs.again(); else runs.showWaiting(); }}>
            <Icon name="up" small />{t.newer(waiting.length)}
          </button>
        )}
      </div>
      <section className="panel runs" aria-label={t.label}>
        {runs.state === "error" ? (
          <ErrorState error={runs.error} title={t.failedTitle} onRetry={runs.again} />
        ) : rows.length > 0 ? (
          <RunsTable
            runs={runs}
            selection={selection}
            opened={opened}
            mayAct={mayAct}
            onOpen={(run) => open(run.run_id)}
            onAbort={one("abort")}
            onReplay={one("replay")}
          />
        ) : runs.state === "loading" ? (
          <SkeletonRows rows={12} height={32} />
        ) : filter === "" ? (
          <EmptyState icon="runs" title={t.emptyTitle} actions={<Button onClick={() => setFilter("last:all")}>{t.showAll}</Button>}>{t.empty}</EmptyState>
        ) : (
          <EmptyState icon="search" title={t.noneFit} actions={<><Button onClick={() => setFilter("")}>{t.clearFilter}</Button><Button onClick={() => setFilter("last:all")}>{t.showAll}</Button></>}>{t.noneFitHelp}</EmptyState>
        )}
      </section>
      {rows.length > 0 && runs.window.older === null && <p className="end faint">{t.end(number(runs.window.above + rows.length))}</p>}
      {asking !== null && (
        <BulkDialog deed={asking.deed} runs={asking.runs} onClose={() => ask(null)} onDone={selection.clear} />
      )}
      {opened !== null && (
        <Suspense>
          <RunDrawer runId={opened} onClose={() => open(null)} {...(Log && { Log })} />
        </Suspense>
      )}
    </>
  );
}

/** Asks about a single run, if the deed is possible. */
function useOne(ask: (what: { deed: Deed; runs: readonly Run[] }) => void) {
  const { mayJob } = useRights();
  return (deed: Deed) => (run: Run) => {
    const final = run.finished_at !== null;
    if (deed === "abort" ? !final && mayJob("abort", run.job, run.app) : final && mayJob("run", run.job, run.app)) ask({ deed, runs: [run] });
  };
}
