/** The columns of the jobs table; the classes place the fields on phones, too. */
import type { JobActions } from "~/features/jobs/actions";
import { LastAndNext, Name, ScheduleCell, State, StripCell } from "~/features/jobs/cells";
import { isSound, useMay } from "~/features/jobs/may";
import type { Row } from "~/features/jobs/row";
import { RowActions } from "~/features/jobs/RowActions";
import type { Selection } from "~/features/jobs/selection";
import { texts } from "~/features/jobs/texts";
import { useTexts } from "~/lib/i18n";
import type { Column } from "~/ui/DataTable";
import { Duration } from "~/ui/Time";
import { Toggle } from "~/ui/Toggle";

export function useColumns(rows: readonly Row[], actions: JobActions, chosen: Selection): readonly Column<Row>[] {
  const t = useTexts(texts);
  const { edit } = useMay();
  const all = rows.length > 0 && rows.every((row) => chosen.has(row.name));
  return [
    {
      key: "check", className: "c-chk",
      header: <input className="check" type="checkbox" aria-label={t.selectAll(rows.length)} checked={all} onChange={() => chosen.set(all ? [] : rows.map((row) => row.name))} />,
      cell: (row) => <input className="check" type="checkbox" aria-label={t.select(row.name)} checked={chosen.has(row.name)} onChange={() => chosen.toggle(row.name)} />,
    },
    { key: "state", header: t.state, className: "c-st", cell: (row) => <State row={row} /> },
    { key: "job", header: t.job, className: "c-name", sort: "ascending", cell: (row) => <Name row={row} /> },
    { key: "strip", header: t.strip, className: "c-strip", cell: (row) => <StripCell row={row} /> },
    { key: "schedule", header: t.schedule, className: "c-sch", cell: (row) => <ScheduleCell row={row} /> },
    { key: "last", header: t.lastAndNext, className: "c-ln", cell: (row) => <LastAndNext row={row} /> },
    { key: "p50", header: <abbr title={t.p50Help}>p50</abbr>, className: "c-p50 num", cell: (row) => <span title={t.measured(row.job.measured_runs)}><Duration ms={row.job.p50_ms} /></span> },
    ...(edit
      ? [{
          key: "on", header: t.on, className: "c-on",
          cell: (row: Row) => (
            <Toggle label={t.enabled(row.name)} checked={row.job.enabled} disabled={!isSound(row)} onChange={(on) => actions.enable.mutate({ name: row.name, on })} />
          ),
        }]
      : []),
    { key: "actions", header: <span className="sr">{t.actions}</span>, className: "c-act", cell: (row) => <RowActions row={row} actions={actions} /> },
  ];
}
