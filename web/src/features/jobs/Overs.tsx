/** Everything that opens over a page about jobs, loaded when it is first opened. */
import { lazy, Suspense, useRef, useState, type ReactNode } from "react";

import { OpenOver, type Over } from "~/features/jobs/over";

const RunDialog = lazy(() => import("~/features/jobs/RunDialog"));
const RunMany = lazy(() => import("~/features/jobs/RunMany"));
const PauseDialog = lazy(() => import("~/features/jobs/PauseDialog"));
const AbortDialog = lazy(() => import("~/features/jobs/AbortDialog"));
const BackfillDialog = lazy(() => import("~/features/jobs/BackfillDialog"));
const Why = lazy(() => import("~/features/jobs/Why"));

/** The focus goes back to where it was; from an entry of a menu, which is gone, to the job's row. */
function giveBack(opener: Element | null, job: string | null): void {
  if (document.activeElement !== null && document.activeElement !== document.body) return;
  const row = job === null ? null : document.querySelector(`tr[data-key="${CSS.escape(job)}"]`);
  const to = opener?.isConnected ? opener : row;
  if (to instanceof HTMLElement || to instanceof SVGElement) to.focus();
}

export function Overs({ children }: { children: ReactNode }) {
  const [over, setOver] = useState<Over | null>(null);
  const opener = useRef<Element | null>(null);
  const open = (wanted: Over) => {
    opener.current = document.activeElement;
    setOver(wanted);
  };
  const close = () => {
    const job = over !== null && "job" in over ? over.job : null;
    setOver(null);
    requestAnimationFrame(() => giveBack(opener.current, job));
  };
  return (
    <OpenOver value={open}>
      {children}
      <Suspense>
        {over?.what === "run-with" && <RunDialog job={over.job} onClose={close} />}
        {over?.what === "run-many" && <RunMany jobs={over.jobs} onClose={close} />}
        {over?.what === "pause" && <PauseDialog jobs={over.jobs} onClose={close} />}
        {over?.what === "abort" && <AbortDialog job={over.job} onClose={close} />}
        {over?.what === "backfill" && <BackfillDialog job={over.job} onClose={close} />}
        {over?.what === "why" && <Why key={`${over.job} ${over.at}`} {...over} onClose={close} />}
      </Suspense>
    </OpenOver>
  );
}
