/** How far the incremental steps of a job have come, and letting one take everything again. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { api, ok } from "~/api/client";
import { useMay } from "~/features/jobs/may";
import { marksQuery } from "~/features/jobs/queries";
import { texts } from "~/features/jobs/texts";
import { useTexts } from "~/lib/i18n";
import { Button } from "~/ui/Button";
import { Confirm } from "~/ui/Dialog";
import { Time } from "~/ui/Time";
import { toast } from "~/ui/toasts";

export function Marks({ job }: { job: string }) {
  const t = useTexts(texts);
  const { edit } = useMay();
  const queries = useQueryClient();
  const { data = [] } = useQuery(marksQuery(job));
  const [asked, setAsked] = useState<string | null>(null);
  const reset = useMutation({
    mutationFn: (step: string) => ok(api.DELETE("/admin/jobs/{name}/marks/{step}", { params: { path: { name: job, step } } })),
    onSuccess: ({ step }) => {
      toast.ok(t.markReset(step));
      setAsked(null);
    },
    onError: (error, step) => toast.failed(t.refused(step), error),
    onSettled: () => queries.invalidateQueries({ queryKey: marksQuery(job).queryKey }),
  });
  if (data.length === 0) return null;
  return (
    <section className="panel" aria-labelledby="job-marks">
      <div className="panel-head"><h2 id="job-marks">{t.marks}</h2></div>
      <ul className="entries">
        {data.map((mark) => (
          <li key={mark.step}>
            <div className="row">
              <span className="grow">
                <span className="w">{mark.step}</span> {mark.column !== null && <span className="faint">{mark.column}</span>}
              </span>
              {edit && mark.value !== null && <Button small onClick={() => setAsked(mark.step)}>{t.startAgain}</Button>}
            </div>
            <div>{mark.value === null ? <span className="sub">{t.noMark}</span> : <code className="cron breaks">{mark.value}</code>}</div>
            {mark.set_at !== null && <div className="sub"><Time at={mark.set_at} /> · {mark.set_by?.replace(/^user:/, "")}</div>}
          </li>
        ))}
      </ul>
      {asked !== null && (
        <Confirm title={t.resetTitle(asked)} verb={t.startAgain} dangerous busy={reset.isPending} onConfirm={() => reset.mutate(asked)} onClose={() => setAsked(null)}>
          <p>{t.resetHelp}</p>
        </Confirm>
      )}
    </section>
  );
}
