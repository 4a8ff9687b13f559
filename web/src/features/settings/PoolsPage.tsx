/** Every pool: whether its database answers, how many connections it has, and letting them go. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { api, ok } from "~/api/client";
import { useRights } from "~/api/me";
import { PoolBar } from "~/features/settings/PoolBars";
import { SettingsNav } from "~/features/settings/SettingsNav";
import { poolsQuery, type Pool, type PoolTest } from "~/features/settings/sources";
import { texts } from "~/features/settings/sourceTexts";
import { useTexts } from "~/lib/i18n";
import { duration } from "~/lib/time";
import { Button } from "~/ui/Button";
import { Confirm } from "~/ui/Dialog";
import { Icon, type IconName } from "~/ui/Icon";
import { PageHead } from "~/ui/PageHead";
import { EmptyState, ErrorState, SkeletonRows } from "~/ui/States";
import { toast } from "~/ui/toasts";

const LOOK: Readonly<Record<Pool["status"], readonly [IconName, string]>> = {
  up: ["s-ok", "ok"], full: ["warn", "warn"], "not opened": ["s-pause", "idle"], unusable: ["s-bad", "bad"],
};

export default function PoolsPage() {
  const t = useTexts(texts);
  const queries = useQueryClient();
  const pools = useQuery(poolsQuery);
  const [asked, setAsked] = useState<string | null>(null);
  const reload = useMutation({
    mutationFn: (pool: string) => ok(api.POST("/admin/pools/{pool}/reload", { params: { path: { pool } } })),
    onSuccess: (_, pool) => toast.ok(t.reloaded(pool)),
    onError: (error, pool) => toast.failed(t.notReloaded(pool), error),
    onSettled: () => { setAsked(null); void queries.invalidateQueries({ queryKey: poolsQuery.queryKey }); },
  });
  return (
    <>
      <SettingsNav />
      <PageHead title={t.pools}><span className="help">{t.poolsHelp}</span></PageHead>
      {pools.isError && pools.data === undefined ? (
        <ErrorState error={pools.error} title={t.failedTitle} onRetry={() => void pools.refetch()} />
      ) : (
        <section className="panel" aria-label={t.pools}>
          {pools.data === undefined ? <SkeletonRows rows={4} height={72} />
            : pools.data.length === 0 ? <EmptyState icon="db" title={t.noPools}>{t.noPoolsHelp}</EmptyState>
            : <ul className="pools whole">{pools.data.map((pool) => <Row key={pool.name} pool={pool} onReload={() => setAsked(pool.name)} />)}</ul>}
        </section>
      )}
      {asked !== null && (
        <Confirm title={t.reloadTitle(asked)} verb={t.reloadVerb} keep={t.keep} busy={reload.isPending} onConfirm={() => reload.mutate(asked)} onClose={() => setAsked(null)}>
          {t.reloadText}
        </Confirm>
      )}
    </>
  );
}

function Row({ pool, onReload }: { pool: Pool; onReload: () => void }) {
  const t = useTexts(texts);
  const { may } = useRights();
  const queries = useQueryClient();
  const test = useMutation({
    mutationFn: () => ok(api.POST("/admin/pools/{pool}/test", { params: { path: { pool: pool.name } } })),
    onError: (error) => toast.failed(t.notTested(pool.name), error),
    onSettled: () => queries.invalidateQueries({ queryKey: poolsQuery.queryKey }),
  });
  // A pool that is open may have lost its database since: what the test found is newer.
  const silent = test.data?.ok === false;
  const [icon, tone] = LOOK[silent ? "unusable" : pool.status];
  const word = silent ? t.refused : { up: t.up, full: t.full, "not opened": t.notOpened, unusable: t.unusable }[pool.status];
  const facts = [
    t.settings(pool.pool_size, pool.max_overflow),
    ...(pool.pool_timeout_seconds === null ? [] : [t.timeout(pool.pool_timeout_seconds)]),
    ...(pool.max_runs === null ? [] : [t.maxRuns(pool.max_runs)]),
    ...(pool.max_rows === null ? [] : [t.maxRows(pool.max_rows)]),
    pool.jobs === 0 ? t.unused : t.jobs(pool.jobs),
  ];
  return (
    <li>
      <div className="pn"><b className="trunc" title={pool.name}>{pool.name}</b><small>{pool.dialect ?? "–"}</small></div>
      <span className={`st st-${tone}`}><Icon name={icon} />{word}</span>
      <div className="pmid">
        <PoolBar inUse={pool.in_use} idle={pool.idle} limit={Math.max(pool.limit ?? 0, pool.open)} />
        <div className="pv"><span><b>{pool.in_use}</b> {t.inUse}</span><span><b>{pool.idle}</b> {t.idle}</span><span>{t.openOf(pool.open, pool.limit)}</span></div>
      </div>
      <div className="pfacts">
        <span>{facts.join(" · ")}</span>
        {pool.problem !== null && <span className="err"><Icon name="s-bad" />{pool.problem}</span>}
        <span role="status">{test.data && <Tested result={test.data} />}</span>
      </div>
      <div className="row pact">
        <Button small icon="pulse" busy={test.isPending} aria-label={t.testPool(pool.name)} onClick={() => test.mutate()}>{t.test}</Button>
        {(may("settings:connectors") || may("settings:reload")) && (
          <Button small icon="refresh" aria-label={t.reloadPool(pool.name)} onClick={onReload}>{t.reload}</Button>
        )}
      </div>
    </li>
  );
}

function Tested({ result }: { result: PoolTest }) {
  const t = useTexts(texts);
  if (!result.ok) return <span className="err">{result.problem ?? t.refused}</span>;
  return (
    <span className="st st-ok"><Icon name="s-ok" />{t.answered(duration(result.duration_ms))}{result.server_version !== null && <span className="faint"> {result.dialect} {result.server_version}</span>}</span>
  );
}
