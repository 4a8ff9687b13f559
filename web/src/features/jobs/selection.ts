/** Which jobs are chosen, by name: a job that a filter hides or that is gone is not acted upon. */
import { useState } from "react";

export interface Selection {
  has(name: string): boolean;
  toggle(name: string): void;
  set(names: readonly string[]): void;
  /** Those of the names shown that are chosen, in their order. */
  among(shown: readonly string[]): string[];
}

export function useSelection(): Selection {
  const [names, setNames] = useState<ReadonlySet<string>>(new Set());
  return {
    has: (name) => names.has(name),
    toggle: (name) =>
      setNames((before) => {
        const next = new Set(before);
        if (!next.delete(name)) next.add(name);
        return next;
      }),
    set: (wanted) => setNames(new Set(wanted)),
    among: (shown) => shown.filter((name) => names.has(name)),
  };
}
