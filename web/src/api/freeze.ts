/** The freeze of all schedules, which the schedule page and the technical page show and set. */
import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";

import { api, ok, type Schemas } from "~/api/client";

export type FreezeOrder = Pick<Schemas["FreezeBody"], "until" | "reason" | "then">;

export const freezeQuery = queryOptions({
  queryKey: ["freeze"],
  refetchInterval: 30_000,
  queryFn: () => ok(api.GET("/admin/freeze")),
});

export function useFreeze(told: { done: (frozen: boolean) => void; failed: (error: unknown) => void }) {
  const queries = useQueryClient();
  const again = () =>
    void queries.invalidateQueries({ predicate: ({ queryKey: [first] }) => ["freeze", "calendar", "foreseen", "jobs"].includes(String(first)) });
  const freeze = useMutation({
    mutationFn: (order: FreezeOrder) => ok(api.POST("/admin/freeze", { body: order })),
    onSuccess: () => told.done(true),
    onError: told.failed,
    onSettled: again,
  });
  const unfreeze = useMutation({
    mutationFn: () => ok(api.DELETE("/admin/freeze")),
    onSuccess: () => told.done(false),
    onError: told.failed,
    onSettled: again,
  });
  return { freeze, unfreeze };
}
