/** The runs that are ticked. At most as many as one request may name. */
import { useState } from "react";

import type { Run } from "~/features/runs/query";

const MOST = 500;

export interface Selection {
  size: number;
  most: number;
  has: (id: string) => boolean;
  toggle: (run: Run) => void;
  all: (runs: readonly Run[]) => void;
  clear: () => void;
  /** As they were when they were ticked. */
  runs: readonly Run[];
}

export function useSelection(): Selection {
  const [chosen, choose] = useState<ReadonlyMap<string, Run>>(new Map());
  return {
    size: chosen.size,
    most: MOST,
    has: (id) => chosen.has(id),
    toggle: (run) =>
      choose((before) => {
        const next = new Map(before);
        if (!next.delete(run.run_id) && next.size < MOST) next.set(run.run_id, run);
        return next;
      }),
    all: (runs) => choose(new Map(runs.slice(0, MOST).map((run) => [run.run_id, run]))),
    clear: () => choose(new Map()),
    runs: [...chosen.values()],
  };
}
