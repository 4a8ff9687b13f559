/** Whether the machinery is well: a sentence first, then what runs, what waits, who schedules, what fails, what is stuck. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { api, ok } from "~/api/client";
import { useRights } from "~/api/me";
import { Abandoned } from "~/features/settings/Abandoned";
import { Beat } from "~/features/settings/Beat";
import { Failures } from "~/features/settings/Failures";
import { Freeze, FreezeLine } from "~/features/settings/Freeze";
import { healthQuery } from "~/features/settings/health";
import { InFlight } from "~/features/settings/InFlight";
import { LagChart } from "~/features/settings/LagChart";
import { PoolBars } from "~/features/settings/PoolBars";
import { Replicas } from "~/features/settings/Replicas";
import { SettingsNav } from "~/features/settings/SettingsNav";
import { texts } from "~/features/settings/texts";
import { useTexts } from "~/lib/i18n";
import { useLive } from "~/lib/useLive";
import { useSoon } from "~/lib/useSoon";
import { Button } from "~/ui/Button";
import { CopyButton } from "~/ui/CopyButton";
import { PageHead } from "~/ui/PageHead";
import { ErrorState, SkeletonRows } from "~/ui/States";
import { toast } from "~/ui/toasts";

const SOON_MS = 300;

export default function TechnicalPage() {
  const t = useTexts(texts);
  const { may } = useRights();
  const queries = useQueryClient();
  const [paused, setPaused] = useState(false);
  const health = useQuery(healthQuery(paused));
  const again = useSoon(() => void queries.invalidateQueries({ queryKey: ["health"] }), SOON_MS);
  const moved = () => { if (!paused) again(); };
  useLive({ jobs: true }, { runMoved: moved, stepMoved: moved, reloaded: moved, again: moved });
  const reload = useMutation({
    mutationFn: () => ok(api.POST("/admin/reload")),
    onSuccess: ({ jobs, quarantined }) => toast.ok(t.reloaded(jobs, quarantined)),
    onError: (error) => toast.failed(t.notReloaded, error),
    onSettled: () => queries.invalidateQueries(),
  });
  const { data } = health;
  return (
    <>
      <SettingsNav />
      <PageHead
        title={t.technical}
        actions={
          <>
            <Button icon={paused ? "play" : "s-pause"} aria-pressed={paused} onClick={() => setPaused(!paused)}>{paused ? t.resume : t.pause}</Button>
            {(may("settings:jobs") || may("settings:reload")) && (
              <Button icon="refresh" busy={reload.isPending} onClick={() => reload.mutate()}>{t.reload}</Button>
            )}
            <Freeze />
            {data && <CopyButton text={JSON.stringify(data, null, 2)}>{t.copyAll}</CopyButton>}
          </>
        }
      >
        {data && (paused ? <span className="live off">{t.paused}</span> : <span className="live"><i />{t.live}</span>)}
      </PageHead>
      {data === undefined ? (
        health.isError
          ? <ErrorState error={health.error} title={t.failedTitle} onRetry={() => void health.refetch()} />
          : <section className="panel"><SkeletonRows rows={8} height={44} /></section>
      ) : (
        <>
          <Beat health={data} />
          <FreezeLine />
          <div className="tech">
            <InFlight health={data} className="a1" />
            <Replicas health={data} className="a2" />
            <PoolBars health={data} className="a3" />
            <LagChart health={data} className="a4" />
            <Failures health={data} className="a5" />
            <Abandoned health={data} className="a6" />
          </div>
        </>
      )}
    </>
  );
}
