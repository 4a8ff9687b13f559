/** Listening for as long as a component is mounted. */
import { useEffect, useRef } from "react";

import { listen, type Hearing } from "~/lib/live";

export function useLive(what: { jobs?: boolean; pools?: boolean }, hearing: Hearing): void {
  const latest = useRef(hearing);
  useEffect(() => {
    latest.current = hearing;
  });
  const { jobs = false, pools = false } = what;
  useEffect(
    () =>
      listen(
        { jobs, pools },
        {
          runMoved: (run) => latest.current.runMoved?.(run),
          stepMoved: (step) => latest.current.stepMoved?.(step),
          lines: (runId, lines) => latest.current.lines?.(runId, lines),
          reloaded: () => latest.current.reloaded?.(),
          pools: (stats) => latest.current.pools?.(stats),
          again: () => latest.current.again?.(),
        },
      ),
    [jobs, pools],
  );
}
