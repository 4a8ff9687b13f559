/** The backfills of a job and how far they are. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { api, ok } from "~/api/client";
import { isSound, useMay } from "~/features/jobs/may";
import { useOpen } from "~/features/jobs/over";
import { backfillsQuery, type Backfill } from "~/features/jobs/queries";
import type { Row } from "~/features/jobs/row";
import { texts } from "~/features/jobs/texts";
import { useTexts } from "~/lib/i18n";
import { Button } from "~/ui/Button";
import { Confirm } from "~/ui/Dialog";
import { Status } from "~/ui/Status";
import { Time } from "~/ui/Time";
import { toast } from "~/ui/toasts";

const SHOWN = 5;
const OPEN = ["queued", "running", "aborting"];

const total = (one: Backfill) => Object.values(one.runs ?? {}).reduce((sum, count) => sum + count, 0);
const left = (one: Backfill) => OPEN.reduce((sum, status) => sum + (one.runs?.[status] ?? 0), 0);

export function Backfills({ job }: { job: Row }) {
  const t = useTexts(texts);
  const may = useMay();
  const open = useOpen();
  const queries = useQueryClient();
  const { data = [] } = useQuery(backfillsQuery(job.name));
  const [asked, setAsked] = useState<Backfill | null>(null);
  const cancel = useMutation({
    mutationFn: (number: number) => ok(api.POST("/admin/jobs/{name}/backfills/{number}/cancel", { params: { path: { name: job.name, number } } })),
    onSuccess: ({ backfill }) => {
      toast.ok(t.backfillCancelled(backfill));
      setAsked(null);
    },
    onError: (error) => toast.failed(t.refused(job.name), error),
    onSettled: () => queries.invalidateQueries({ queryKey: ["jobs"] }),
  });
  const mayStart = may.run(job) && isSound(job);
  if (data.length === 0 && !mayStart) return null;
  return (
    <section className="panel" aria-labelledby="job-backfills">
      <div className="panel-head">
        <h2 id="job-backfills">{t.backfills}</h2>
        {mayStart && <span className="end"><Button small icon="hist" onClick={() => open({ what: "backfill", job: job.name })}>{t.backfill}</Button></span>}
      </div>
      {data.length === 0 ? <p className="foot">{t.noBackfills}</p> : (
        <ul className="entries">
          {data.slice(0, SHOWN).map((one) => (
            <li key={one.backfill}>
              <div className="row">
                <span className="grow w">{one.from.slice(0, 10)} – {one.to.slice(0, 10)}</span>
                {left(one) > 0 && one.cancelled_at === null && may.abort(job) && <Button small onClick={() => setAsked(one)}>{t.callOff}</Button>}
              </div>
              <div className="counts">
                {Object.entries(one.runs ?? {}).filter(([, count]) => count > 0).map(([status, count]) => <Status key={status} value={status} look="plain">{`${count} ${status}`}</Status>)}
              </div>
              <div className="sub">
                {one.cancelled_at !== null ? t.calledOff(one.cancelled_by?.replace(/^user:/, "") ?? "") : t.doneOf(total(one) - left(one), total(one))} · <Time at={one.requested_at} /> · {one.requested_by.replace(/^user:/, "")}
              </div>
            </li>
          ))}
        </ul>
      )}
      {asked !== null && (
        <Confirm title={t.callOffTitle} verb={t.callOff} keep={t.goOn} dangerous busy={cancel.isPending} onConfirm={() => cancel.mutate(asked.backfill)} onClose={() => setAsked(null)}>
          <p>{t.callOffHelp(left(asked))}</p>
        </Confirm>
      )}
    </section>
  );
}
