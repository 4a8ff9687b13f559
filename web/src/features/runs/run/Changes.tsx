/** What is different from the last success, the most telling first. */
import { useQuery } from "@tanstack/react-query";
import { useId } from "react";
import { Link } from "react-router";

import { changesQuery, type Change } from "~/features/runs/run/queries";
import { texts } from "~/features/runs/texts";
import { useTexts } from "~/lib/i18n";
import { duration } from "~/lib/time";
import { number } from "~/features/runs/numbers";
import { Time } from "~/ui/Time";

const WARNS: ReadonlySet<string> = new Set(["params", "duration", "plugin", "library", "python"]);

/** A value of one side, short. */
export function brief(change: Pick<Change, "kind">, value: unknown): string {
  if (value === null || value === undefined) return "–";
  if (change.kind === "duration" && typeof value === "number") return duration(value);
  if (typeof value === "number") return number(value);
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return /^[0-9a-f]{32,}$/.test(text) ? text.slice(0, 8) : text;
}

export function Changes({ runId }: { runId: string }) {
  const t = useTexts(texts);
  const heading = useId();
  const { data } = useQuery(changesQuery(runId));
  // Nothing to compare with, or nothing different and nothing wrong: nothing to say.
  if (data?.since == null) return null;
  return (
    <section className="panel chg" aria-labelledby={heading}>
      <h2 id={heading}>
        {t.changedSince} <Link to={`/nomaflow/runs/${data.since.run_id}`}>{data.since.run_id}</Link>
        <span className="faint"><Time at={data.since.queued_at} /></span>
      </h2>
      {data.items.length === 0 ? <p className="chg-none faint">{t.nothingChanged}</p> : (
        <ol>
          {data.items.map((change) => (
            <li key={`${change.kind} ${change.name}`} className={change.likely_cause ? "t-bad" : WARNS.has(change.kind) ? "t-warn" : undefined} title={change.text}>
              <span className="ck">{t.changeKind(change.kind)}{change.likely_cause && `, ${t.likelyCause}`}</span>
              <b>{change.name}</b>
              <span className="cd">{brief(change, change.before)} → {brief(change, change.after)}</span>
            </li>
          ))}
        </ol>
      )}
      {data.more > 0 && <Link className="chg-more" to={`/nomaflow/runs/compare?a=${data.since.run_id}&b=${runId}`}>{t.andMore(data.more)}</Link>}
    </section>
  );
}
