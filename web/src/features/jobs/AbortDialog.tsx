/** Which runs of a job are in flight, and ending them. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { api, ok } from "~/api/client";
import { texts } from "~/features/jobs/texts";
import { useTexts } from "~/lib/i18n";
import { Confirm } from "~/ui/Dialog";
import { Status } from "~/ui/Status";
import { Duration } from "~/ui/Time";
import { toast } from "~/ui/toasts";
import "~/features/jobs/over.css";

export default function AbortDialog({ job, onClose }: { job: string; onClose: () => void }) {
  const t = useTexts(texts);
  const queries = useQueryClient();
  const found = useQuery({
    queryKey: ["jobs", "in-flight", job],
    queryFn: async () =>
      (await ok(api.GET("/admin/jobs/runs", { params: { query: { job: [job], status: ["running", "queued", "aborting"] } } }))).items,
    staleTime: 0,
  });
  const runs = found.data ?? [];
  const abort = useMutation({
    mutationFn: () => ok(api.POST("/admin/jobs/runs/abort", { body: { run_ids: runs.map((run) => run.run_id), limit: 100 } })),
    onSuccess: ({ items }) => {
      const refused = items.filter((one) => !one.ok);
      if (refused.length === 0) toast.ok(t.aborting(items.length));
      else toast.failed(t.refused(job), new Error(refused.map((one) => `${one.run_id}: ${one.detail ?? ""}`).join("\n")));
      onClose();
    },
    onError: (error) => toast.failed(t.refused(job), error),
    onSettled: () => queries.invalidateQueries({ queryKey: ["jobs"] }),
  });
  if (found.data === undefined) return null;
  const [only] = runs;
  return (
    <Confirm
      title={runs.length === 1 && only ? t.abortTitle(only.run_id) : t.abortMany(runs.length, job)}
      verb={runs.length > 1 ? t.abortRuns : t.abortRun}
      keep={t.keepRunning}
      dangerous
      busy={abort.isPending || runs.length === 0}
      onConfirm={() => abort.mutate()}
      onClose={onClose}
    >
      {runs.length === 0 ? <p>{t.nothingRuns(job)}</p> : <p>{t.abortHelp}</p>}
      <ul className="flight">
        {runs.map((run) => (
          <li key={run.run_id}>
            <b>{run.run_id}</b> <Status value={run.status} look="plain" /> <span className="faint">{run.current_step} <Duration since={run.started_at ?? run.queued_at} /></span>
          </li>
        ))}
      </ul>
    </Confirm>
  );
}
