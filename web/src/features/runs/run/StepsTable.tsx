/** The waterfall's facts as a plain table. */
import type { StoryStep } from "~/features/runs/run/queries";
import { number } from "~/features/runs/numbers";
import { texts } from "~/features/runs/texts";
import { useTexts } from "~/lib/i18n";
import { clock } from "~/lib/time";
import { Status } from "~/ui/Status";
import { Duration } from "~/ui/Time";

export function StepsTable({ steps }: { steps: readonly StoryStep[] }) {
  const t = useTexts(texts);
  const count = (value: number | null) => (value === null ? "–" : number(value));
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label={t.steps}>
      <table className="tbl steps">
        <thead>
          <tr>
            <th scope="col">{t.step}</th><th scope="col">{t.status}</th><th scope="col">{t.type}</th><th scope="col">{t.started}</th>
            <th scope="col" className="num">{t.took}</th><th scope="col" className="num">{t.median}</th><th scope="col" className="num">{t.tries}</th>
            <th scope="col" className="num">{t.waitedMs}</th><th scope="col" className="num">{t.in}</th><th scope="col" className="num">{t.out}</th>
          </tr>
        </thead>
        <tbody>
          {steps.map((step) => (
            <tr key={step.index}>
              <th scope="row"><b>{step.name}</b></th>
              <td><Status value={step.status === "waiting" ? "queued" : step.status} look="plain">{step.status === "waiting" ? t.waiting : t.stepStatus(step.status)}</Status></td>
              <td className="faint">{step.type}</td>
              <td>{step.started_at === null ? "–" : <time dateTime={step.started_at}>{clock(new Date(step.started_at))}</time>}</td>
              <td className="num">{step.duration_ms === null && step.status === "running" ? <Duration since={step.started_at} /> : <Duration ms={step.duration_ms} />}</td>
              <td className="num"><Duration ms={step.median_ms} /></td>
              <td className="num">{step.tries.length}</td>
              <td className="num"><Duration ms={step.tries.reduce((sum, one) => sum + (one.wait_ms ?? 0), 0) || null} /></td>
              <td className="num">{count(step.rows_in)}</td>
              <td className="num">{count(step.rows_out)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
