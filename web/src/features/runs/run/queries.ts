/** What is asked about one run, and how what happens meanwhile gets in. */
import { queryOptions, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";

import { api, ok, type Schemas } from "~/api/client";
import { useLive } from "~/lib/useLive";

export type Story = Schemas["RunStoryModel"];
export type StoryStep = Schemas["StoryStepModel"];
export type Detail = Schemas["RunDetailModel"];
export type Change = Schemas["ChangeModel"];

const path = (run_id: string) => ({ params: { path: { run_id } } });

export const storyQuery = (id: string) =>
  queryOptions({
    queryKey: ["run", id, "story"],
    queryFn: async () => {
      const story = await ok(api.GET("/admin/jobs/runs/{run_id}/story", path(id)));
      // What the server's clock is ahead of ours: bars of running steps grow by the server's time.
      return { ...story, ahead: Date.parse(story.now) - Date.now() };
    },
  });

export const detailQuery = (id: string) =>
  queryOptions({ queryKey: ["run", id, "detail"], queryFn: () => ok(api.GET("/admin/jobs/runs/{run_id}", path(id))) });

export const changesQuery = (id: string) =>
  queryOptions({ queryKey: ["run", id, "changes"], queryFn: () => ok(api.GET("/admin/jobs/runs/{run_id}/changes", path(id))) });

const TOGETHER_MS = 200;

/** Reads the run again when it or a step of it has moved; what comes close together is read once. */
export function useNews(id: string): void {
  const queries = useQueryClient();
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => () => { clearTimeout(timer.current); timer.current = undefined; }, [id]);
  const again = () => {
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      void queries.invalidateQueries({ queryKey: ["run", id] });
    }, TOGETHER_MS);
  };
  const ours = (moved: { run_id: string; replay_of?: unknown }) => {
    if (moved.run_id === id || moved.replay_of === id) again();
  };
  useLive({ jobs: true }, { runMoved: ours, stepMoved: ours, again });
}
