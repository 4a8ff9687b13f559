/** One run, whole: the page and the drawer show the same. */
import { useQuery } from "@tanstack/react-query";
import { Suspense, useState, type ComponentType } from "react";

import type { LogProps } from "~/features/runs/logSlot";
import { FINAL } from "~/features/runs/query";
import { Changes } from "~/features/runs/run/Changes";
import { detailQuery, storyQuery, useNews } from "~/features/runs/run/queries";
import { ReplayDialog } from "~/features/runs/run/ReplayDialog";
import { RunHead } from "~/features/runs/run/RunHead";
import { Hatches, Waterfall } from "~/features/runs/run/Waterfall";
import { texts } from "~/features/runs/texts";
import { useRights } from "~/api/me";
import { useTexts } from "~/lib/i18n";
import { ErrorState, SkeletonRows } from "~/ui/States";
import "~/features/runs/run/run.css";

export interface RunProps { runId: string; inDrawer?: boolean; Log?: ComponentType<LogProps> }

export function RunView({ runId, inDrawer = false, Log }: RunProps) {
  const t = useTexts(texts);
  const { mayJob } = useRights();
  const story = useQuery(storyQuery(runId));
  const detail = useQuery(detailQuery(runId));
  const [replaying, setReplaying] = useState<{ from: string | null } | null>(null);
  useNews(runId);
  if (story.isPending) return <div className="panel"><SkeletonRows rows={6} height={36} /></div>;
  if (story.data === undefined) return <ErrorState error={story.error} title={t.runFailedTitle} onRetry={() => void story.refetch()} />;
  const { run } = story.data;
  const final = FINAL.has(run.status);
  const mayReplay = final && mayJob("run", run.job, run.app);
  return (
    <div className="run-view">
      <Hatches />
      <RunHead story={story.data} detail={detail.data} inDrawer={inDrawer} onReplay={() => setReplaying({ from: null })} />
      <span className="sr" role="status">{t.runIs(run.run_id, run.status)}</span>
      {run.status !== "skipped" && <Changes runId={runId} />}
      <Waterfall key={runId} story={story.data} {...(mayReplay && { onReplayFrom: (from: string) => setReplaying({ from }) })} />
      {Log && run.status !== "skipped" && (
        <Suspense fallback={<div className="panel run-log"><SkeletonRows rows={8} height={20} /></div>}>
          <Log key={runId} runId={runId} live={!final} className="run-log" />
        </Suspense>
      )}
      {replaying !== null && mayReplay && (
        <ReplayDialog run={run} steps={story.data.steps.map((step) => step.name)} from={replaying.from} onClose={() => setReplaying(null)} />
      )}
    </div>
  );
}
