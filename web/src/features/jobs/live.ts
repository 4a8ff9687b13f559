/** Rows change by themselves: whatever moves is read again, many moves at once. */
import { useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";

import { coalesce } from "~/lib/coalesce";
import { useLive } from "~/lib/useLive";

/** A busy server moves several runs a second; a page of 500 jobs is read no oftener than this. */
const GAP_MS = 700;

/** `of`: only runs of this job matter. */
export function useJobsLive(of?: string): void {
  const queries = useQueryClient();
  const again = useMemo(() => coalesce(() => queries.invalidateQueries({ queryKey: ["jobs"] }), GAP_MS), [queries]);
  const planned = () => {
    again();
    void queries.invalidateQueries({ queryKey: ["load"] });
  };
  useLive({ jobs: true }, { runMoved: (run) => (of === undefined || run.job === of) && again(), reloaded: planned, again: planned });
}
