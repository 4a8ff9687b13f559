/** The title line of a job's page: its state and what one may do to it. */
import { Link, useNavigate } from "react-router";

import type { JobActions } from "~/features/jobs/actions";
import { State } from "~/features/jobs/cells";
import { isRunning, isSound, useMay } from "~/features/jobs/may";
import { useOpen } from "~/features/jobs/over";
import { editPlace } from "~/features/jobs/places";
import type { Row } from "~/features/jobs/row";
import { texts } from "~/features/jobs/texts";
import { useTexts } from "~/lib/i18n";
import { useKeys } from "~/lib/keys";
import { Button, ButtonLink } from "~/ui/Button";
import { PageHead } from "~/ui/PageHead";

export function JobHead({ row, actions }: { row: Row; actions: JobActions }) {
  const t = useTexts(texts);
  const may = useMay();
  const open = useOpen();
  const navigate = useNavigate();
  const { name } = row;
  const sound = isSound(row);
  const run = sound && may.run(row);
  const runWith = () => open({ what: "run-with", job: name });
  const abort = isRunning(row) && may.abort(row);
  useKeys([
    ...(run ? [{ keys: "r", does: t.run, run: () => actions.runNow(name) }, { keys: "Shift r", does: t.runWith, run: runWith }] : []),
    ...(abort ? [{ keys: "a", does: t.abortRow, run: () => open({ what: "abort", job: name }) }] : []),
    ...(may.edit ? [{ keys: "e", does: t.edit, run: () => void navigate(editPlace(name)) }] : []),
  ]);
  return (
    <>
      <nav className="job-crumb" aria-label={t.crumb}><Link to="/nomaflow">{t.title}</Link></nav>
      <PageHead
        title={name}
        actions={
          <>
            {abort && <Button icon="s-abort" tone="danger" onClick={() => open({ what: "abort", job: name })}>{t.abortRow}</Button>}
            {may.edit && row.job.state === "paused" && <Button icon="play" busy={actions.resume.isPending} onClick={() => actions.resume.mutate(name)}>{t.resume}</Button>}
            {may.edit && row.job.state !== "paused" && sound && <Button icon="s-pause" onClick={() => open({ what: "pause", jobs: [name] })}>{t.pause}</Button>}
            {may.edit && <ButtonLink to={editPlace(name)} icon="edit">{t.edit}</ButtonLink>}
            {run && <Button icon="cog" onClick={runWith}>{t.runWith}</Button>}
            {run && <Button icon="play" tone="primary" busy={actions.run.isPending} onClick={() => actions.runNow(name)}>{t.run}</Button>}
          </>
        }
      >
        <div className="job-state"><State row={row} /></div>
      </PageHead>
    </>
  );
}
