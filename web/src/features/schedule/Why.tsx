/** Why an instant ran, did not run, or will not: the server's own answer, and what one can do about it. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Fragment, useEffect, useRef, type ReactNode } from "react";
import { Link } from "react-router";

import { api, ok } from "~/api/client";
import { useRights } from "~/api/me";
import type { Cell, Lane } from "~/features/schedule/lanes";
import { statusOf } from "~/features/schedule/names";
import { texts } from "~/features/schedule/texts";
import { useTexts } from "~/lib/i18n";
import { absolute, clock, duration } from "~/lib/time";
import { Button } from "~/ui/Button";
import { CopyButton } from "~/ui/CopyButton";
import { ErrorState } from "~/ui/States";
import { Status } from "~/ui/Status";
import { texts as words } from "~/ui/texts";
import { toast } from "~/ui/toasts";

export interface Asked {
  lane: Lane;
  cell: Cell;
  left: number;
  top: number;
}

/** A backfill of one instant is a run for it. */
const ONE = { max_concurrent: 1, newest_first: false, only_missing: false };
const NOT_RUN: ReadonlySet<string> = new Set(["missed", "skipped", "held"]);

export function useHeading(cell: Cell): string {
  const t = useTexts(texts);
  if (cell.runId === null) return t.whyComing;
  return NOT_RUN.has(cell.outcome) ? t.whyNot : t.whyRan;
}

/** `onRan`: a run for the instant was asked for. */
export function Why({ lane, cell, onRan }: { lane: Lane; cell: Cell; onRan: () => void }) {
  const t = useTexts(texts);
  const w = useTexts(words);
  const { mayJob } = useRights();
  const queries = useQueryClient();
  const at = new Date(cell.at);
  const iso = at.toISOString();
  const why = useQuery({
    queryKey: ["why", lane.job, iso],
    queryFn: () => ok(api.GET("/admin/jobs/{name}/why", { params: { path: { name: lane.job }, query: { at: iso } } })),
  });
  const run = useMutation({
    mutationFn: () =>
      ok(api.POST("/admin/jobs/{name}/backfill", { params: { path: { name: lane.job } }, body: { ...ONE, from: iso, to: new Date(cell.at + 1000).toISOString() } })),
    onSuccess: () => {
      toast.run(t.ran(lane.job));
      onRan();
    },
    onError: (error) => toast.failed(t.notRun(lane.job), error),
    onSettled: () => queries.invalidateQueries({ queryKey: ["calendar"] }),
  });
  const runId = why.data?.run_id ?? cell.runId;
  const did = cell.runId !== null && !NOT_RUN.has(cell.outcome);
  const elsewhere = lane.timezone !== null && clock(at, lane.timezone) !== clock(at) ? absolute(at, lane.timezone) : null;
  const facts = [
    ...(did && cell.durationMs !== null ? [[t.took, duration(cell.durationMs)] as const] : []),
    ...(elsewhere === null ? [] : [[t.zone, elsewhere] as const]),
  ];
  const command = `liberty-admin why ${lane.job} ${iso}`;
  return (
    <>
      <p className="wsub"><Link to={`/nomaflow/jobs/${lane.job}`}>{lane.job}</Link>, {t.dueAt} {absolute(at)}</p>
      {why.isError ? (
        <ErrorState error={why.error} onRetry={() => void why.refetch()} />
      ) : (
        <p className="wtext" role="status">{why.data?.text ?? `${t.explaining} …`}</p>
      )}
      {cell.count > 1 && <p className="wsub">{cell.several ? t.severalComing : t.alsoDue(cell.count, cell.ofThat, w[statusOf(cell.outcome) as "missed"])}</p>}
      {cell.held !== null && <p className="wsub">{t.heldNow(cell.held)}</p>}
      {facts.length > 0 && (
        <dl className="kv">{facts.map(([name, value]) => <Fragment key={name}><dt>{name}</dt><dd>{value}</dd></Fragment>)}</dl>
      )}
      <div className="row wact">
        {cell.runId !== null && !did && mayJob("run", lane.job, lane.app) && (
          <Button small tone="primary" busy={run.isPending} onClick={() => run.mutate()}>{t.runFor}</Button>
        )}
        {runId !== null && <Link className="btn small" to={`/nomaflow/runs/${runId}`}>{t.openRun(runId)}</Link>}
        <CopyButton small tone="quiet" text={command}>{t.copyCommand}</CopyButton>
      </div>
      <p className="cli"><code>{command}</code></p>
    </>
  );
}

/** Beside the bar it is about, inside the panel. Escape and a click elsewhere close it. */
export function WhyPop({ asked, onClose }: { asked: Asked; onClose: () => void }) {
  const t = useTexts(texts);
  const box = useRef<HTMLDivElement>(null);
  const heading = useHeading(asked.cell);
  const latest = useRef(onClose);
  useEffect(() => {
    latest.current = onClose;
  });
  useEffect(() => {
    box.current?.querySelector("button")?.focus({ preventScroll: true });
    box.current?.scrollIntoView({ block: "nearest" });
    const away = (event: Event) => {
      const to = event.target;
      if (to instanceof Element && !box.current?.contains(to) && to.closest(".lanes svg[tabindex], .toasts") === null) latest.current();
    };
    // On the document: the button that had the focus may be busy, and then nothing has it.
    const key = (event: KeyboardEvent) => { if (event.key === "Escape") latest.current(); };
    document.addEventListener("pointerdown", away);
    document.addEventListener("keydown", key);
    return () => {
      document.removeEventListener("pointerdown", away);
      document.removeEventListener("keydown", key);
    };
  }, []);
  return (
    <div
      ref={box}
      className="pop why"
      role="dialog"
      aria-label={heading}
      style={{ top: asked.top + 6, left: `clamp(8px, calc(208px + (100% - 208px) * ${asked.left.toFixed(4)} - 24px), calc(100% - 416px))` }}
    >
      <WhyHead heading={heading} cell={asked.cell}>
        <Button small tone="quiet" icon="x" aria-label={t.close} onClick={onClose} />
      </WhyHead>
      <Why lane={asked.lane} cell={asked.cell} onRan={onClose} />
    </div>
  );
}

export function WhyHead({ heading, cell, children }: { heading: string; cell: Cell; children?: ReactNode }) {
  return (
    <div className="row whead">
      <h2>{heading}</h2>
      <Status value={statusOf(cell.outcome)} look="pill" />
      {children && <span className="end">{children}</span>}
    </div>
  );
}
