/** Whether the window is wide enough for what does not fit a phone; the same width as in the stylesheets. */
import { useSyncExternalStore } from "react";

const wide = window.matchMedia("(min-width: 761px)");

function subscribe(told: () => void): () => void {
  wide.addEventListener("change", told);
  return () => wide.removeEventListener("change", told);
}

export function useWide(): boolean {
  return useSyncExternalStore(subscribe, () => wide.matches);
}
