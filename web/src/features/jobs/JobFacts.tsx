/** What a job is, in pairs. */
import type { JobActions } from "~/features/jobs/actions";
import { isSound, useMay } from "~/features/jobs/may";
import type { Detail } from "~/features/jobs/queries";
import type { Row } from "~/features/jobs/row";
import { texts } from "~/features/jobs/texts";
import { useTexts } from "~/lib/i18n";
import { duration } from "~/lib/time";
import { Toggle } from "~/ui/Toggle";

export function JobFacts({ row, detail, actions }: { row: Row; detail: Detail; actions: JobActions }) {
  const t = useTexts(texts);
  const { edit } = useMay();
  const { job } = row;
  return (
    <section className="panel" aria-labelledby="job-facts">
      <div className="panel-head">
        <h2 id="job-facts">{t.facts}</h2>
        {edit && (
          <span className="end">
            <span className="faint" aria-hidden="true">{job.enabled ? t.isOn : t.isOff}</span>
            <Toggle label={t.enabled(row.name)} checked={job.enabled} disabled={!isSound(row)} onChange={(on) => actions.enable.mutate({ name: row.name, on })} />
          </span>
        )}
      </div>
      <dl className="kv panel-body">
        <dt>{t.app}</dt><dd>{row.app}</dd>
        {row.tags.length > 0 && <><dt>{t.tags}</dt><dd className="meta">{row.tags.map((tag) => <span key={tag} className="tag">{tag}</span>)}</dd></>}
        <dt>{t.took}</dt><dd>{job.p50_ms === null ? t.notMeasured : t.usual(duration(job.p50_ms), duration(job.p95_ms ?? job.p50_ms), job.measured_runs)}</dd>
        <dt>{t.stepsLabel}</dt><dd>{t.steps_(detail.step_count)}</dd>
        {detail.overlap !== null && <><dt>{t.overlap}</dt><dd>{t.overlapIs(detail.overlap)}</dd></>}
        {job.pause !== null && <><dt>{t.pausedBy}</dt><dd>{job.pause.by.replace(/^user:/, "")}{job.pause.reason && `: ${job.pause.reason}`}. {t.afterwards(job.pause.then)}</dd></>}
        <dt>{t.file}</dt><dd className="breaks"><code>{detail.file}{detail.line !== null && `:${detail.line}`}</code></dd>
        {detail.definition_version !== null && <><dt>{t.version}</dt><dd>v{detail.definition_version}</dd></>}
      </dl>
    </section>
  );
}
