/** What the shapes mean. */
import type { Outcome } from "~/features/schedule/lanes";
import { lanePaths } from "~/features/schedule/marks";
import { statusOf } from "~/features/schedule/names";
import { rangeOf } from "~/features/schedule/range";
import { texts } from "~/features/schedule/texts";
import { useTexts } from "~/lib/i18n";
import { texts as words } from "~/ui/texts";

const PAST: readonly Outcome[] = ["succeeded", "failed", "partial-success", "late", "caught up", "missed", "skipped", "aborted", "running"];
const RANGE = rangeOf("week", "2026-01-05", new Date(2026, 0, 5));

function Shape({ outcome }: { outcome: Outcome }) {
  const cell = { at: RANGE.begin, outcome, count: 1, ofThat: 1, durationMs: outcome === "planned" ? null : 10, runId: null, held: null, several: false };
  return (
    <svg viewBox="-1 0 8 34" aria-hidden="true">
      {Object.entries(lanePaths(RANGE, [cell])).map(([kind, path]) => <path key={kind} className={kind} d={path} />)}
    </svg>
  );
}

export function Legend() {
  const t = useTexts(texts);
  const w = useTexts(words);
  return (
    <div className="legend panel-foot">
      <b>{t.legendPast}</b>
      {PAST.map((outcome) => <span key={outcome}><Shape outcome={outcome} />{w[statusOf(outcome) as "missed"]}</span>)}
      <b>{t.legendComing}</b>
      <span><Shape outcome="planned" />{t.planned}</span>
      <span><Shape outcome="held" />{w.held}</span>
      <span className="faint">{t.hourly}</span>
    </div>
  );
}
