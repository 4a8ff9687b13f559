/** The log of one run on a page of its own: the whole window for lines, and an address for each of them. */
import { useState } from "react";
import { useParams } from "react-router";

import LogPane from "~/features/log/LogPane";
import { texts } from "~/features/log/texts";
import type { View } from "~/features/log/view";
import { useTexts } from "~/lib/i18n";
import { ButtonLink } from "~/ui/Button";
import { PageHead } from "~/ui/PageHead";
import { Status } from "~/ui/Status";

export default function LogPage() {
  const t = useTexts(texts);
  const { runId = "" } = useParams();
  const [run, setRun] = useState({ job: "", status: "" });
  const onView = ({ job, status }: View) => setRun((before) => (before.job === job && before.status === status ? before : { job, status }));
  return (
    <div className="log-page">
      <PageHead title={t.logOf(runId)} actions={<ButtonLink icon="left" to={`/nomaflow/runs/${encodeURIComponent(runId)}`}>{t.run}</ButtonLink>}>
        {run.job !== "" && <span className="muted">{run.job}</span>}
        {run.status !== "" && <Status value={run.status} look="pill" />}
      </PageHead>
      <LogPane runId={runId} live={false} onView={onView} />
    </div>
  );
}
