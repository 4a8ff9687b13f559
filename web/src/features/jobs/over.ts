/** What can lie over a page about jobs, and how it is asked for. */
import { createContext, use } from "react";

export type Over =
  | { what: "run-with"; job: string }
  | { what: "run-many"; jobs: readonly string[] }
  | { what: "pause"; jobs: readonly string[] }
  | { what: "abort"; job: string }
  | { what: "backfill"; job: string }
  | { what: "why"; job: string; zone: string | null; at: string | null; slot: number };

export const OpenOver = createContext<(over: Over) => void>(() => undefined);
export const useOpen = () => use(OpenOver);
