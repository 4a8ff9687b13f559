/** One clock for the page: everything that shows a relative time ticks together, and only while the tab is seen. */
import { useSyncExternalStore } from "react";

let now = new Date();
let timer: ReturnType<typeof setInterval> | undefined;
const listeners = new Set<() => void>();

function tick(): void {
  if (document.hidden) return;
  now = new Date();
  for (const told of listeners) told();
}

function subscribe(told: () => void): () => void {
  listeners.add(told);
  if (timer === undefined) {
    now = new Date();
    timer = setInterval(tick, 1000);
    document.addEventListener("visibilitychange", tick);
  }
  return () => {
    listeners.delete(told);
    if (listeners.size === 0) {
      clearInterval(timer);
      timer = undefined;
      document.removeEventListener("visibilitychange", tick);
    }
  };
}

/** `read` turns the time into what is shown; the component renders again only when that changes. */
export function useNow<T extends string | number>(read: (now: Date) => T): T {
  return useSyncExternalStore(subscribe, () => read(now));
}
