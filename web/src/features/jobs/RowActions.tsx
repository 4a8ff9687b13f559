/** The buttons at the end of a row: run or abort, and a menu with the rest. */
import { useNavigate } from "react-router";

import type { JobActions } from "~/features/jobs/actions";
import { isRunning, isSound, useMay } from "~/features/jobs/may";
import { useOpen } from "~/features/jobs/over";
import { editPlace, jobPlace, runsPlace } from "~/features/jobs/places";
import type { Row } from "~/features/jobs/row";
import { zoneOf } from "~/features/jobs/cells";
import { texts } from "~/features/jobs/texts";
import { useTexts } from "~/lib/i18n";
import { Button } from "~/ui/Button";
import { Menu, type Entry } from "~/ui/Menu";
import { SLOTS } from "~/ui/strip";

export function RowActions({ row, actions }: { row: Row; actions: JobActions }) {
  const t = useTexts(texts);
  const may = useMay();
  const open = useOpen();
  const navigate = useNavigate();
  const { name } = row;
  const entries: Entry[] = [{ label: t.openJob, icon: "list", run: () => void navigate(jobPlace(name)) }];
  if (may.run(row) && isSound(row)) {
    entries.push({ label: t.runWith, icon: "play", keys: "⇧ R", run: () => open({ what: "run-with", job: name }) });
    if (isRunning(row)) entries.push({ label: t.run, icon: "play", keys: "R", run: () => actions.runNow(name) });
    if (row.job.schedules.length > 0) entries.push({ label: t.backfill, icon: "hist", run: () => open({ what: "backfill", job: name }) });
  }
  if (row.job.schedules.length > 0 && isSound(row)) {
    entries.push({ label: t.why, icon: "info", keys: "W", run: () => open({ what: "why", job: name, zone: zoneOf(row), at: null, slot: SLOTS - 1 }) });
  }
  entries.push({ label: t.itsRuns, icon: "runs", run: () => void navigate(runsPlace(name)) });
  if (may.edit) {
    if (row.job.pause !== null && row.job.state === "paused") entries.push({ label: t.resume, icon: "play", run: () => actions.resume.mutate(name) });
    else if (isSound(row)) entries.push({ label: t.pause, icon: "s-pause", run: () => open({ what: "pause", jobs: [name] }) });
    entries.push({ label: t.edit, icon: "edit", keys: "E", run: () => void navigate(editPlace(name)) });
  }
  return (
    <>
      {isRunning(row) && may.abort(row) ? (
        <Button small tone="quiet" icon="s-abort" aria-label={t.abort(name)} title={t.abort(name)} onClick={() => open({ what: "abort", job: name })} />
      ) : may.run(row) ? (
        <Button small tone="quiet" icon="play" aria-label={t.runNow(name)} title={t.runNow(name)} disabled={!isSound(row)} onClick={() => actions.runNow(name)} />
      ) : null}
      <Menu entries={entries} button={<Button small tone="quiet" icon="dots" aria-label={t.more(name)} />} />
    </>
  );
}
