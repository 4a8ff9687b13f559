/** What a row of the runs table says. Drawn again only when its run has changed. */
import { memo } from "react";
import { Link } from "react-router";

import { who, type Run } from "~/features/runs/query";
import { texts } from "~/features/runs/texts";
import { number } from "~/features/runs/numbers";
import { useTexts } from "~/lib/i18n";
import { Status } from "~/ui/Status";
import { Duration, Time } from "~/ui/Time";

export const Cells = memo(function Cells({ run, onOpen }: { run: Run; onOpen: () => void }) {
  const t = useTexts(texts);
  return (
    <>
      <td className="c-st"><Status value={run.status} /></td>
      <td className="c-id">
        <Link
          to={`/nomaflow/runs/${run.run_id}`}
          onClick={(event) => {
            if (event.metaKey || event.ctrlKey || event.shiftKey) return;
            event.preventDefault();
            onOpen();
          }}
        >
          {run.run_id}
        </Link>
      </td>
      <td className="c-job trunc">
        <b>{run.job}</b> <span className="faint">{run.app}</span>
        {run.reason !== null && <span className="why faint"> · {run.reason}</span>}
        {run.reason === null && run.current_step !== null && run.finished_at === null && <span className="why faint"> · {run.current_step}</span>}
      </td>
      <td className="c-at">{run.started_at === null ? <span className="faint"><Time at={run.queued_at} /></span> : <Time at={run.started_at} />}</td>
      <td className="c-dur num">
        {run.duration_ms !== null ? <Duration ms={run.duration_ms} /> : run.finished_at === null && run.started_at !== null ? <Duration since={run.started_at} /> : <span className="faint">–</span>}
      </td>
      <td className="c-rows num">{run.rows_affected === null ? <span className="faint">–</span> : number(run.rows_affected)}</td>
      <td className="c-trig trunc" title={run.triggered_by}>
        {t.by(run.trigger, who(run))}
        {run.replay_of !== null && <span className="faint"> · {t.replayOf(run.replay_of)}</span>}
        {run.caught_up && <span className="faint"> · {t.caughtUp}</span>}
      </td>
    </>
  );
}, (before, after) => before.run === after.run);
