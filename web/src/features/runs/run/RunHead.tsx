/** Who, when, how long, why: the head of a run. Actions one may not do, or not now, are left out. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState, type ReactNode } from "react";
import { Link, useNavigate } from "react-router";

import { api, ok } from "~/api/client";
import type { paths } from "~/api/schema";
import { useRights } from "~/api/me";
import type { Detail, Story } from "~/features/runs/run/queries";
import { number } from "~/features/runs/numbers";
import { FINAL, who } from "~/features/runs/query";
import { texts } from "~/features/runs/texts";
import { useTexts } from "~/lib/i18n";
import { useKeys } from "~/lib/keys";
import { clock, duration, hover } from "~/lib/time";
import { Button, ButtonLink } from "~/ui/Button";
import { CopyButton } from "~/ui/CopyButton";
import { Confirm } from "~/ui/Dialog";
import { Icon } from "~/ui/Icon";
import { Status } from "~/ui/Status";
import { Duration, Time } from "~/ui/Time";
import { toast } from "~/ui/toasts";

interface Props {
  story: Story;
  detail: Detail | undefined;
  /** In the drawer the title is the drawer's. */
  inDrawer: boolean;
  onReplay: () => void;
}

type Wanted = NonNullable<NonNullable<paths["/admin/jobs/runs/{run_id}/replay"]["post"]["requestBody"]>["content"]["application/json"]>;

export function useReplay(id: string) {
  const t = useTexts(texts);
  const queries = useQueryClient();
  const navigate = useNavigate();
  return useMutation({
    mutationFn: (body: Wanted) =>
      ok(api.POST("/admin/jobs/runs/{run_id}/replay", { params: { path: { run_id: id } }, body })),
    onSuccess: (made) => {
      toast.run(t.replayStarted(made.run_id), { text: t.replayOf(id) });
      void queries.invalidateQueries({ queryKey: ["run", id] });
      void navigate(`/nomaflow/runs/${made.run_id}`);
    },
    onError: (error) => toast.failed(t.notReplayed, error),
  });
}

export function RunHead({ story, detail, inDrawer, onReplay }: Props) {
  const t = useTexts(texts);
  const { mayJob } = useRights();
  const queries = useQueryClient();
  const [aborting, setAborting] = useState(false);
  const { run } = story;
  const final = FINAL.has(run.status);
  const mayAbort = !final && run.status !== "aborting" && mayJob("abort", run.job, run.app);
  const mayReplay = final && mayJob("run", run.job, run.app);
  const failed = story.steps.filter((step) => step.status === "failed").length;
  const abort = useMutation({
    mutationFn: () => ok(api.POST("/admin/jobs/runs/{run_id}/abort", { params: { path: { run_id: run.run_id } } })),
    onError: (error) => toast.failed(t.notAborted, error),
    onSettled: () => {
      setAborting(false);
      void queries.invalidateQueries({ queryKey: ["run", run.run_id] });
    },
  });
  useKeys([
    ...(mayAbort ? [{ keys: "a", does: t.abortRow, run: () => setAborting(true) }] : []),
    ...(mayReplay ? [{ keys: "r", does: t.replayRow, run: onReplay }] : []),
  ]);
  useEffect(() => {
    if (!inDrawer) document.title = `${run.run_id} ${run.job} · Nomaflow`;
  }, [inDrawer, run.run_id, run.job]);
  const other = story.last_success ?? story.previous;
  return (
    <header className="rh">
      <div className="rh-t">
        {!inDrawer && <h1>{run.job}</h1>}
        <Status value={run.status} look="big" of="job" />
        {!final && failed > 0 && <Status value="failed" look="pill">{t.stepsFailed(failed)}</Status>}
        <span className="muted">{run.reason ?? (!final && run.current_step !== null ? t.inStep(run.current_step) : "")}</span>
        <span className="end">
          {other !== null && final && <ButtonLink icon="diff" to={`/nomaflow/runs/compare?a=${other.run_id}&b=${run.run_id}`}>{t.compare}</ButtonLink>}
          {mayReplay && <Button icon="replay" onClick={onReplay}>{t.rerun}</Button>}
          {mayAbort && <Button icon="s-abort" tone="danger" onClick={() => setAborting(true)}>{t.abort}</Button>}
        </span>
      </div>
      <dl className="facts">
        <Fact name={t.run}>{run.run_id} <CopyButton small tone="quiet" text={run.run_id} label={t.copyId} /></Fact>
        <Fact name={t.trigger}><span title={run.triggered_by}>{t.by(run.trigger, who(run))}{run.caught_up && `, ${t.caughtUp}`}</span></Fact>
        {run.replay_of !== null && <Fact name={t.replay}><Icon name="replay" small /> <Link to={`/nomaflow/runs/${run.replay_of}`}>{t.replayOf(run.replay_of)}</Link></Fact>}
        {detail?.parent_chain.map((parent) => (
          <Fact key={parent.run_id} name={t.calledBy}><Link to={`/nomaflow/runs/${parent.run_id}`}>{parent.run_id}</Link> <span className="faint">{parent.job}</span></Fact>
        ))}
        {story.replays.length > 0 && (
          <Fact name={t.replays}>{story.replays.slice(0, 4).map((one) => <Link key={one.run_id} to={`/nomaflow/runs/${one.run_id}`}><Status value={one.status} look="icon" />{one.run_id}</Link>)}{story.replays.length > 4 && "…"}</Fact>
        )}
        {run.scheduled_at !== null && <Fact name={t.due}><Time at={run.scheduled_at} /></Fact>}
        <Fact name={t.queuedAt}><Time at={run.queued_at} look="absolute" /></Fact>
        {run.started_at !== null && <Fact name={t.started}><Clock at={run.started_at} near={run.queued_at} /></Fact>}
        {run.finished_at !== null && <Fact name={t.finished}><Clock at={run.finished_at} near={run.queued_at} /></Fact>}
        <Fact name={final ? t.duration : run.started_at === null ? t.waitingFor : t.runningFor}>
          <b>{run.duration_ms !== null ? <Duration ms={run.duration_ms} /> : <Duration since={run.started_at ?? run.queued_at} />}</b>
          {story.median_ms !== null && <span className="faint" title={t.medianOf20}> {t.ofAbout(duration(story.median_ms))}</span>}
        </Fact>
        {run.rows_affected !== null && <Fact name={t.rows}>{number(run.rows_affected)}</Fact>}
        {run.definition_version !== null && <Fact name={t.definition}>v{run.definition_version}{run.replica !== null && <span className="faint"> {t.on(run.replica)}</span>}</Fact>}
        {detail?.abort_requested_by != null && <Fact name={t.abortBy}>{detail.abort_requested_by}</Fact>}
      </dl>
      <Params run={run} detail={detail} />
      {aborting && (
        <Confirm title={t.abortTitle(1)} verb={t.abort} keep={t.keepRunning} dangerous busy={abort.isPending} onConfirm={() => abort.mutate()} onClose={() => setAborting(false)}>
          <p>{t.abortHelp}</p>
        </Confirm>
      )}
    </header>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return <div><dt>{name}</dt><dd>{children}</dd></div>;
}

/** The time alone where the day is the one that stands beside it. */
function Clock({ at, near }: { at: string; near: string }) {
  const instant = new Date(at);
  if (instant.toDateString() !== new Date(near).toDateString()) return <Time at={at} look="absolute" />;
  return <time dateTime={at} title={hover(instant)}>{clock(instant)}</time>;
}

function Params({ run, detail }: { run: Story["run"]; detail: Detail | undefined }) {
  const t = useTexts(texts);
  const params = Object.entries(run.params);
  const overrides = detail?.overrides;
  const off = Object.entries(overrides?.step_enabled ?? {}).filter(([, on]) => !on).map(([step]) => step);
  const words = [
    overrides?.preset != null && t.preset(overrides.preset),
    overrides?.log_level != null && t.logLevel(overrides.log_level),
    overrides?.from_step != null && t.fromStep(overrides.from_step),
    off.length > 0 && t.without(off.join(", ")),
  ].filter((word) => word !== false);
  if (params.length === 0 && words.length === 0) return null;
  return (
    <div className="params">
      {params.length > 0 && <span className="lbl">{t.params}</span>}
      {params.map(([name, value]) => <code key={name}>{name} = <b>{JSON.stringify(value)}</b></code>)}
      {words.length > 0 && <span className="faint">{words.join(" · ")}</span>}
    </div>
  );
}
