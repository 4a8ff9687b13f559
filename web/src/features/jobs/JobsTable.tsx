/** The table of jobs with its keys. */
import { useNavigate } from "react-router";

import type { JobActions } from "~/features/jobs/actions";
import { zoneOf } from "~/features/jobs/cells";
import { useColumns } from "~/features/jobs/columns";
import { isRunning, isSound, useMay } from "~/features/jobs/may";
import { useOpen } from "~/features/jobs/over";
import { editPlace, jobPlace } from "~/features/jobs/places";
import type { Row } from "~/features/jobs/row";
import type { Selection } from "~/features/jobs/selection";
import { texts } from "~/features/jobs/texts";
import { useTexts } from "~/lib/i18n";
import { DataTable } from "~/ui/DataTable";
import { SLOTS } from "~/ui/strip";

export const ROW_HEIGHT = 53;

export function JobsTable({ rows, actions, chosen }: { rows: readonly Row[]; actions: JobActions; chosen: Selection }) {
  const t = useTexts(texts);
  const may = useMay();
  const open = useOpen();
  const navigate = useNavigate();
  const columns = useColumns(rows, actions, chosen);
  const mayRun = (row: Row) => isSound(row) && may.run(row);
  return (
    <DataTable
      label={t.label}
      rows={rows}
      columns={columns}
      rowKey={(row) => row.name}
      rowHeight={ROW_HEIGHT}
      rowClass={(row) => (row.job.enabled && isSound(row) ? undefined : "off")}
      onOpen={(row) => void navigate(jobPlace(row.name))}
      moveTexts={{ next: t.nextRow, previous: t.previousRow, open: t.openRow }}
      rowKeys={[
        { keys: "x", does: t.selectRow, run: (row) => chosen.toggle(row.name) },
        { keys: "r", does: t.run, run: (row) => { if (mayRun(row)) actions.runNow(row.name); } },
        { keys: "Shift r", does: t.runWith, run: (row) => { if (mayRun(row)) open({ what: "run-with", job: row.name }); } },
        { keys: "a", does: t.abortRow, run: (row) => { if (isRunning(row) && may.abort(row)) open({ what: "abort", job: row.name }); } },
        { keys: "e", does: t.edit, run: (row) => { if (may.edit) void navigate(editPlace(row.name)); } },
        {
          keys: "w", does: t.why,
          run: (row) => { if (row.instants.length > 0) open({ what: "why", job: row.name, zone: zoneOf(row), at: row.instants.at(-1)?.at ?? null, slot: SLOTS - 1 }); },
        },
      ]}
    />
  );
}
