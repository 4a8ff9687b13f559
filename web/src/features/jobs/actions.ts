/** What one does to a job, alone or many at once. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "react-router";

import { api, ok, type Schemas } from "~/api/client";
import { runPlace } from "~/features/jobs/places";
import { overviewQuery } from "~/features/jobs/queries";
import { texts } from "~/features/jobs/texts";
import { useTexts } from "~/lib/i18n";
import { toast } from "~/ui/toasts";

const at = (name: string) => ({ params: { path: { name } } });

export type Pause = Schemas["PauseBody"];
/** What is done to several jobs: the call for one of them. */
export type Bulk = "run" | "enable" | "disable" | "pause" | "resume";

export function useJobActions() {
  const t = useTexts(texts);
  const queries = useQueryClient();
  const navigate = useNavigate();
  const settled = () => queries.invalidateQueries({ queryKey: ["jobs"] });

  const run = useMutation({
    mutationFn: ({ name, body = {} }: { name: string; body?: Schemas["RunBody"] }) =>
      ok(api.POST("/admin/jobs/{name}/run", { ...at(name), body })),
    onSuccess: (made, { name }) => {
      const action = { label: t.watch, run: () => void navigate(runPlace(made.run_id)) };
      if (made.status === "skipped") toast.ok(t.startedSkipped(made.run_id), { text: made.reason ?? name, action });
      else toast.run(t.started(made.run_id), { text: name, action });
    },
    onSettled: settled,
  });

  const enable = useMutation({
    mutationFn: ({ name, on }: { name: string; on: boolean }) =>
      ok(api.POST(on ? "/admin/jobs/{name}/enable" : "/admin/jobs/{name}/disable", at(name))),
    onMutate: ({ name, on }) => {
      // At once in the place it was switched; the answer that follows has the last word.
      queries.setQueryData(overviewQuery.queryKey, (page) =>
        page && { ...page, items: page.items.map((job) => (job.name === name ? { ...job, enabled: on } : job)) });
    },
    onSuccess: (changed, { on }) => toast.ok(on ? t.on_(changed.name) : t.off(changed.name)),
    onError: (error, { name }) => toast.failed(t.refused(name), error),
    onSettled: settled,
  });

  const resume = useMutation({
    mutationFn: (name: string) => ok(api.POST("/admin/jobs/{name}/resume", at(name))),
    onSuccess: (job) => toast.ok(t.resumed(job.name)),
    onError: (error, name) => toast.failed(t.refused(name), error),
    onSettled: settled,
  });

  const unfreeze = useMutation({
    mutationFn: () => ok(api.DELETE("/admin/freeze")),
    onSuccess: () => toast.ok(t.unfrozen),
    onError: (error) => toast.failed(t.stillFrozen, error),
    onSettled: settled,
  });

  const reload = useMutation({
    mutationFn: () => ok(api.POST("/admin/reload")),
    onSuccess: ({ jobs }) => toast.ok(t.reloaded(jobs)),
    onError: (error) => toast.failed(t.failedTitle, error),
    onSettled: settled,
  });

  /** One after the other: five hundred at once would only wait for each other on the server. */
  const bulk = useMutation({
    mutationFn: async ({ what, names, pause }: { what: Bulk; names: readonly string[]; pause?: Pause }) => {
      const refused: string[] = [];
      for (const name of names) {
        try {
          await one(what, name, pause);
        } catch (error) {
          refused.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
        }
      }
      return refused;
    },
    onSuccess: (refused, { what, names }) => {
      const done = names.length - refused.length;
      if (refused.length === 0) toast.ok(t.bulkDone(what, done));
      else toast.failed(t.bulkPart(what, done, refused.length), new Error(refused.slice(0, SHOWN).join("\n")));
    },
    onSettled: settled,
  });

  /** Tells what went wrong, too: for a button, where a dialog shows it itself. */
  const runNow = (name: string) => run.mutate({ name }, { onError: (error) => toast.failed(t.notStarted(name), error) });
  return { run, runNow, enable, resume, unfreeze, reload, bulk };
}
export type JobActions = ReturnType<typeof useJobActions>;

const SHOWN = 5;

function one(what: Bulk, name: string, pause: Pause | undefined): Promise<unknown> {
  switch (what) {
    case "run": return ok(api.POST("/admin/jobs/{name}/run", { ...at(name), body: {} }));
    case "enable": return ok(api.POST("/admin/jobs/{name}/enable", at(name)));
    case "disable": return ok(api.POST("/admin/jobs/{name}/disable", at(name)));
    case "resume": return ok(api.POST("/admin/jobs/{name}/resume", at(name)));
    case "pause": return ok(api.POST("/admin/jobs/{name}/pause", { ...at(name), body: pause ?? { then: "drop" } }));
  }
}
