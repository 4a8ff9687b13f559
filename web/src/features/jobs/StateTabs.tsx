/** The counters above the table: each is the filter `state:…`, so it can be linked to. */
import { countByState, RARE_STATES, readRow, STATES, type Row } from "~/features/jobs/row";
import { texts } from "~/features/jobs/texts";
import { parse, passes, print } from "~/lib/filter";
import { useTexts } from "~/lib/i18n";
import { Status } from "~/ui/Status";

export function StateTabs({ rows, filter, onFilter }: { rows: readonly Row[]; filter: string; onFilter: (text: string) => void }) {
  const t = useTexts(texts);
  const words = parse(filter);
  const rest = words.filter((word) => word.name !== "state" || word.not);
  const counted = rows.filter((row) => passes(rest, readRow(row)));
  const counts = countByState(counted);
  const chosen = words.find((word) => word.name === "state" && !word.not)?.values.join(",");
  // The usual ones always stand there: a counter that comes and goes would push its neighbours about.
  const shown = [...STATES, ...RARE_STATES.filter((state) => counts.has(state) || chosen === state)];
  const choose = (state: string | null) =>
    onFilter(print(state === null ? rest : [{ name: "state", values: [state], not: false }, ...rest]));
  return (
    <div className="tabs" role="group" aria-label={t.byState}>
      <button type="button" aria-current={chosen === undefined ? "true" : undefined} onClick={() => choose(null)}>
        {t.all} <span className="count">{counted.length}</span>
      </button>
      {shown.map((state) => (
        <button key={state} type="button" aria-current={chosen === state ? "true" : undefined} onClick={() => choose(state)}>
          <Status value={state} of="job" look="plain" /> <span className="count">{counts.get(state) ?? 0}</span>
        </button>
      ))}
    </div>
  );
}
