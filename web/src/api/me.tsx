/** Who is signed in, for everything below the shell, and what they may do. */
import { createContext, use, type ReactNode } from "react";

import type { Me } from "~/api/queries";
import { may, mayJob, type Verb } from "~/lib/rights";

export interface Rights {
  me: Me;
  may(permission: string): boolean;
  mayJob(verb: Verb, name: string, app: string): boolean;
}

const SignedIn = createContext<Rights | null>(null);

/** Set by the shell: what stands below it never sees nobody, not even while a session ends. */
export function RightsOf({ me, children }: { me: Me; children: ReactNode }) {
  const rights: Rights = {
    me,
    may: (permission) => may(me, permission),
    mayJob: (verb, name, app) => mayJob(me, verb, name, app),
  };
  return <SignedIn value={rights}>{children}</SignedIn>;
}

export function useRights(): Rights {
  const rights = use(SignedIn);
  if (rights === null) throw new Error("useRights is for pages inside the shell");
  return rights;
}
