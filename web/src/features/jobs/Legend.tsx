/** The key to the bars. */
import { texts } from "~/features/jobs/texts";
import { useTexts } from "~/lib/i18n";
import { stripPaths, WIDTH, type Verdict } from "~/ui/strip";
import { texts as words } from "~/ui/texts";

const ORDER: readonly Verdict[] = ["succeeded", "failed", "partial-success", "ran-late", "caught-up", "missed", "skipped", "held", "due", "aborted", "running"];

export function Legend() {
  const t = useTexts(texts);
  const word = useTexts(words);
  return (
    <div className="legend panel-foot" role="note" aria-label={t.legend}>
      <b>{t.legendHeight}</b>
      {ORDER.map((verdict) => (
        <span key={verdict}>
          {/* The last slot of a strip with this one instant in it. */}
          <svg viewBox={`${WIDTH - 7} 4 8 24`} aria-hidden="true">
            {Object.entries(stripPaths([{ at: "", verdict, height: 0.6, runId: null }])).map(([kind, path]) => <path key={kind} className={kind} d={path} />)}
          </svg>
          {word[verdict]}
        </span>
      ))}
    </div>
  );
}
