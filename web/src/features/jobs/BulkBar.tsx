/** What can be done to the jobs that are chosen; floats over the lower end, so nothing moves when it comes. */
import type { Bulk, JobActions } from "~/features/jobs/actions";
import { isSound, useMay } from "~/features/jobs/may";
import { useOpen } from "~/features/jobs/over";
import type { Row } from "~/features/jobs/row";
import type { Selection } from "~/features/jobs/selection";
import { texts } from "~/features/jobs/texts";
import { useTexts } from "~/lib/i18n";
import { Button } from "~/ui/Button";

export function BulkBar({ rows, actions, chosen }: { rows: readonly Row[]; actions: JobActions; chosen: Selection }) {
  const t = useTexts(texts);
  const may = useMay();
  const open = useOpen();
  const picked = rows.filter((row) => chosen.has(row.name));
  if (picked.length === 0) return null;
  const names = (fits: (row: Row) => boolean) => picked.filter((row) => isSound(row) && fits(row)).map((row) => row.name);
  const runnable = names((row) => may.run(row));
  const off = names((row) => !row.job.enabled);
  const on = names((row) => row.job.enabled);
  const paused = names((row) => row.job.state === "paused");
  const going = names((row) => row.job.state !== "paused");
  const act = (what: Bulk, some: readonly string[]) => () => actions.bulk.mutate({ what, names: some });
  const { isPending: busy } = actions.bulk;
  return (
    <div className="jobs-bulk pop" role="region" aria-label={t.chosen(picked.length)}>
      <b role="status">{t.chosen(picked.length)}</b>
      {runnable.length > 0 && <Button small icon="play" disabled={busy} onClick={() => open({ what: "run-many", jobs: runnable })}>{t.run}</Button>}
      {may.edit && on.length > 0 && <Button small disabled={busy} onClick={act("disable", on)}>{t.disable}</Button>}
      {may.edit && off.length > 0 && <Button small disabled={busy} onClick={act("enable", off)}>{t.enable}</Button>}
      {may.edit && going.length > 0 && <Button small icon="s-pause" disabled={busy} onClick={() => open({ what: "pause", jobs: going })}>{t.pause}</Button>}
      {may.edit && paused.length > 0 && <Button small disabled={busy} onClick={act("resume", paused)}>{t.resume}</Button>}
      <Button small tone="quiet" icon="x" aria-label={t.clearSelection} onClick={() => chosen.set([])} />
    </div>
  );
}
