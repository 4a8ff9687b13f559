/** How answers are kept: who is signed in, and the rules for trying again. Queries of a page live with its feature. */
import { QueryClient, queryOptions } from "@tanstack/react-query";

import { api, ApiError, csrf, ok, type Schemas } from "~/api/client";

export type Me = Schemas["MeModel"];

const TRIES = 3;

export function makeQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 5000,
        refetchOnWindowFocus: true,
        // What was refused stays refused; what was not answered, or answered "later", may be in a moment.
        retry: (count, error) => count < TRIES && error instanceof ApiError && (error.status === 0 || error.status >= 500),
        retryDelay: (count) => Math.min(1000 * 2 ** count, 8000),
      },
    },
  });
}

/** Null when nobody is signed in. */
export const meQuery = queryOptions({
  queryKey: ["me"],
  staleTime: 60_000,
  queryFn: async (): Promise<Me | null> => {
    try {
      const me = await ok(api.GET("/auth/me"));
      csrf.set(me.csrf_token ?? "");
      return me;
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) return null;
      throw error;
    }
  },
});
