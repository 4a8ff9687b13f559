/** Does something soon, and no oftener than every so many milliseconds, however often it is asked for. */
import { useCallback, useEffect, useRef } from "react";

export function useSoon(run: () => void, every: number): () => void {
  const latest = useRef(run);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => {
    latest.current = run;
  });
  useEffect(() => () => clearTimeout(timer.current), []);
  return useCallback(() => {
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      latest.current();
    }, every);
  }, [every]);
}
