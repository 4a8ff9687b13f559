/** Who is signed in, for components below the shell, and what they may do. */
import { useQuery } from "@tanstack/react-query";

import { meQuery, type Me } from "~/api/queries";
import { may, mayJob, type Verb } from "~/lib/rights";

export interface Rights {
  me: Me;
  may(permission: string): boolean;
  mayJob(verb: Verb, name: string, app: string): boolean;
}

/** Throws outside the shell, where nobody need be signed in. */
export function useRights(): Rights {
  const { data: me } = useQuery(meQuery);
  if (me == null) throw new Error("nobody is signed in");
  return {
    me,
    may: (permission) => may(me, permission),
    mayJob: (verb, name, app) => mayJob(me, verb, name, app),
  };
}
