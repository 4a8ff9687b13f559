/** What the pages about jobs read. Everything lies under the key ["jobs"], so one change makes all of it read again. */
import { queryOptions } from "@tanstack/react-query";

import { api, ok, type Schemas } from "~/api/client";

export type OverviewJob = Schemas["OverviewJobModel"];
export type Load = Schemas["LoadModel"];
export type RunForm = Schemas["RunFormModel"];
export type Detail = Schemas["JobDetailModel"];
export type Backfill = Schemas["BackfillStateModel"];

const of = (name: string) => ({ params: { path: { name } } });

const overview = () => ok(api.GET("/admin/overview/jobs"));

/** Asked for as this file is loaded, while it is still being found out who is there: nobody waits for one after the other. */
let early: { answer: ReturnType<typeof overview>; at: number } | null = begin();
const FRESH_MS = 5000;

function begin() {
  const answer = overview();
  // Nobody signed in, most likely: it is asked again when somebody is.
  answer.catch(() => undefined);
  return { answer, at: Date.now() };
}

export const overviewQuery = queryOptions({
  queryKey: ["jobs", "overview"],
  queryFn: async () => {
    const begun = early;
    early = null;
    if (begun !== null && Date.now() - begun.at < FRESH_MS) {
      const first = await begun.answer.catch(() => null);
      if (first !== null) return first;
    }
    return overview();
  },
});

export const freezeQuery = queryOptions({
  queryKey: ["jobs", "freeze"],
  queryFn: () => ok(api.GET("/admin/freeze")),
  refetchInterval: 60_000,
});

/** Follows the clock, not the runs: read again every five minutes, one slot of the picture. */
export const loadQuery = queryOptions({
  queryKey: ["load", 24],
  queryFn: () => ok(api.GET("/admin/overview/load", { params: { query: { hours: 24 } } })),
  staleTime: 60_000,
  refetchInterval: 300_000,
});

export const detailQuery = (name: string) =>
  queryOptions({ queryKey: ["jobs", "detail", name], queryFn: () => ok(api.GET("/admin/jobs/{name}", of(name))) });

/** Not below ["jobs"]: a run that moves must not change what somebody is filling in. */
export const formQuery = (name: string) =>
  queryOptions({ queryKey: ["job-form", name], staleTime: 0, gcTime: 0, refetchOnWindowFocus: false, queryFn: () => ok(api.GET("/admin/jobs/{name}/form", of(name))) });

export const marksQuery = (name: string) =>
  queryOptions({
    queryKey: ["jobs", "marks", name],
    queryFn: async () => (await ok(api.GET("/admin/jobs/{name}/marks", of(name)))).items,
  });

export const backfillsQuery = (name: string) =>
  queryOptions({
    queryKey: ["jobs", "backfills", name],
    queryFn: async () => (await ok(api.GET("/admin/jobs/{name}/backfills", of(name)))).items,
  });

/** `at` null: the last instant the job was due. What became of an instant may still change while its run is going. */
export const whyQuery = (name: string, at: string | null) =>
  queryOptions({
    queryKey: ["jobs", "why", name, at],
    queryFn: () =>
      ok(api.GET("/admin/jobs/{name}/why", { params: { path: { name }, query: at === null ? {} : { at } } })),
  });

export const connectorsQuery = queryOptions({
  queryKey: ["connector-names"],
  queryFn: async () => (await ok(api.GET("/admin/connectors/names"))).items,
  staleTime: 60_000,
});
