/** One row of the runs table. Drawn again only when its run, its tick or its place has changed: scrolling touches the others not. */
import { memo, useEffect, useMemo, useRef } from "react";

import { who, type Run } from "~/features/runs/query";
import { number } from "~/features/runs/numbers";
import { texts } from "~/features/runs/texts";
import { base } from "~/lib/base";
import { useTexts } from "~/lib/i18n";
import { Status } from "~/ui/Status";
import { Duration, Time } from "~/ui/Time";

export interface Acts {
  onOpen: (run: Run) => void;
  onActive: (run: Run) => void;
  onTick: (run: Run) => void;
}

/** The same object for ever, so that rows need not be drawn again for a function that is made anew. */
export function useActs(acts: Acts): Acts {
  const latest = useRef(acts);
  useEffect(() => {
    latest.current = acts;
  });
  return useMemo(
    () => ({
      onOpen: (run) => latest.current.onOpen(run),
      onActive: (run) => latest.current.onActive(run),
      onTick: (run) => latest.current.onTick(run),
    }),
    [],
  );
}

interface Props {
  run: Run;
  place: number;
  current: boolean;
  /** Null: there is nothing to tick runs for. */
  ticked: boolean | null;
  act: Acts;
}

export const Row = memo(function Row({ run, place, current, ticked, act }: Props) {
  const t = useTexts(texts);
  const word = run.reason ?? (run.finished_at === null ? run.current_step : null);
  return (
    <tr
      data-key={run.run_id}
      aria-rowindex={place}
      aria-current={current ? "true" : undefined}
      tabIndex={-1}
      onFocus={() => act.onActive(run)}
      onKeyDown={(event) => event.key === "Enter" && event.target === event.currentTarget && act.onOpen(run)}
      onClick={(event) => {
        if (!(event.target as HTMLElement).closest("a, input") && getSelection()?.toString() === "") act.onOpen(run);
      }}
    >
      {ticked !== null && (
        <td className="c-x">
          <input type="checkbox" className="check" aria-label={t.select(run.run_id)} checked={ticked} onChange={() => act.onTick(run)} />
        </td>
      )}
      <td className="c-st"><Status value={run.status} /></td>
      <td className="c-id">
        <a
          href={`${base}/nomaflow/runs/${run.run_id}`}
          onClick={(event) => {
            if (event.metaKey || event.ctrlKey || event.shiftKey) return;
            event.preventDefault();
            act.onOpen(run);
          }}
        >
          {run.run_id}
        </a>
      </td>
      <td className="c-job trunc">
        <b>{run.job}</b> <span className="faint">{run.app}{word !== null && ` · ${word}`}</span>
      </td>
      <td className={run.started_at === null ? "c-at faint" : "c-at"}><Time at={run.started_at ?? run.queued_at} /></td>
      <td className="c-dur num">{run.duration_ms === null && run.finished_at === null ? <Duration since={run.started_at} /> : <Duration ms={run.duration_ms} />}</td>
      <td className="c-rows num">{run.rows_affected === null ? "–" : number(run.rows_affected)}</td>
      <td className="c-trig trunc" title={run.triggered_by}>
        {t.by(run.trigger, who(run))}
        {run.replay_of !== null && <span className="faint"> · {t.replayOf(run.replay_of)}</span>}
        {run.caught_up && <span className="faint"> · {t.caughtUp}</span>}
      </td>
    </tr>
  );
});
