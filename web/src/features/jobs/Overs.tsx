/** Everything that opens over a page about jobs, loaded when it is first opened. */
import { lazy, Suspense, useState, type ReactNode } from "react";

import { OpenOver, type Over } from "~/features/jobs/over";

const RunDialog = lazy(() => import("~/features/jobs/RunDialog"));
const RunMany = lazy(() => import("~/features/jobs/RunMany"));
const PauseDialog = lazy(() => import("~/features/jobs/PauseDialog"));
const AbortDialog = lazy(() => import("~/features/jobs/AbortDialog"));
const BackfillDialog = lazy(() => import("~/features/jobs/BackfillDialog"));
const Why = lazy(() => import("~/features/jobs/Why"));

export function Overs({ children }: { children: ReactNode }) {
  const [over, setOver] = useState<Over | null>(null);
  const close = () => setOver(null);
  return (
    <OpenOver value={setOver}>
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
