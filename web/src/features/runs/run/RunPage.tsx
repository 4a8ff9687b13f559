/** A run on a page of its own. */
import { useQuery } from "@tanstack/react-query";
import type { ComponentType } from "react";
import { Link, useParams } from "react-router";

import type { LogProps } from "~/features/runs/logSlot";
import { storyQuery } from "~/features/runs/run/queries";
import { RunView } from "~/features/runs/run/RunView";
import { texts } from "~/features/runs/texts";
import { useTexts } from "~/lib/i18n";
import { Icon } from "~/ui/Icon";

export default function RunPage({ Log }: { Log?: ComponentType<LogProps> }) {
  const t = useTexts(texts);
  const { runId = "" } = useParams();
  const { data } = useQuery(storyQuery(runId));
  const job = data?.run.job;
  return (
    <>
      <nav className="crumb" aria-label={t.whereAmI}>
        <Link to="/nomaflow/runs">{t.title}</Link><Icon name="right" small />
        {job !== undefined && <><Link to={`/nomaflow/runs?q=${encodeURIComponent(`job:${job}`)}`}>{job}</Link><Icon name="right" small /></>}
        <span>{runId}</span>
        {data && (data.previous !== null || data.next !== null) && (
          <span className="around">
            {data.previous && <Link to={`/nomaflow/runs/${data.previous.run_id}`}><Icon name="left" small />{data.previous.run_id}</Link>}
            {data.next && <Link to={`/nomaflow/runs/${data.next.run_id}`}>{data.next.run_id}<Icon name="right" small /></Link>}
          </span>
        )}
      </nav>
      <RunView key={runId} runId={runId} {...(Log && { Log })} />
    </>
  );
}
