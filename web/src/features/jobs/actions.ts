/** What one does to a job from its row. */
import { useMutation, useQueryClient } from "@tanstack/react-query";

import { api, ok } from "~/api/client";
import { jobsQuery, type Job } from "~/api/jobs";
import { texts } from "~/features/jobs/texts";
import { useTexts } from "~/lib/i18n";
import { toast } from "~/ui/toasts";

export function useJobActions() {
  const t = useTexts(texts);
  const queries = useQueryClient();
  const put = (changed: Job) =>
    queries.setQueryData(jobsQuery.queryKey, (jobs) => jobs?.map((job) => (job.name === changed.name ? changed : job)));

  const run = useMutation({
    mutationFn: (name: string) => ok(api.POST("/admin/jobs/{name}/run", { params: { path: { name } }, body: {} })),
    onSuccess: (made, name) => {
      if (made.status === "skipped") toast.ok(t.startedSkipped(made.run_id), { text: made.reason ?? name });
      else toast.run(t.started(made.run_id), { text: name });
    },
    onError: (error, name) => toast.failed(t.notStarted(name), error),
    onSettled: () => queries.invalidateQueries({ queryKey: jobsQuery.queryKey }),
  });

  const abort = useMutation({
    mutationFn: ({ runId }: { name: string; runId: string }) =>
      ok(api.POST("/admin/jobs/runs/{run_id}/abort", { params: { path: { run_id: runId } } })),
    onError: (error, { name }) => toast.failed(t.refused(name), error),
    onSettled: () => queries.invalidateQueries({ queryKey: jobsQuery.queryKey }),
  });

  const enable = useMutation({
    mutationFn: ({ name, on }: { name: string; on: boolean }) =>
      ok(api.POST(on ? "/admin/jobs/{name}/enable" : "/admin/jobs/{name}/disable", { params: { path: { name } } })),
    onSuccess: (changed, { on }) => {
      put(changed);
      toast.ok(on ? t.on_(changed.name) : t.off(changed.name));
    },
    onError: (error, { name }) => toast.failed(t.refused(name), error),
  });

  const reload = useMutation({
    mutationFn: () => ok(api.POST("/admin/reload")),
    onSuccess: ({ jobs }) => toast.ok(t.reloaded(jobs)),
    onError: (error) => toast.failed(t.failedTitle, error),
    onSettled: () => queries.invalidateQueries({ queryKey: jobsQuery.queryKey }),
  });

  return { run, abort, enable, reload };
}
export type JobActions = ReturnType<typeof useJobActions>;
