/** When a job fires: each of its schedules in words, with the next instants. */
import type { Detail } from "~/features/jobs/queries";
import { texts } from "~/features/jobs/texts";
import { useTexts } from "~/lib/i18n";
import { viewerZone } from "~/lib/time";
import { Time } from "~/ui/Time";

export function JobSchedules({ schedules }: { schedules: Detail["schedules"] }) {
  const t = useTexts(texts);
  return (
    <section className="panel" aria-labelledby="job-schedules">
      <div className="panel-head"><h2 id="job-schedules">{t.schedules(schedules.length)}</h2></div>
      <ul className="entries">
        {schedules.map((one) => (
          <li key={one.key} className={one.enabled ? undefined : "off"}>
            <div className="w">
              {one.text}
              {(one.name ?? one.preset) !== null && <> <span className="tag">{one.preset !== null ? t.preset(one.preset) : one.name}</span></>}
              {!one.enabled && <> <span className="tag">{t.isOff}</span></>}
            </div>
            <div><code className="cron">{one.schedule}</code>{one.timezone !== viewerZone && <span className="zone"> · {one.timezone}</span>}</div>
            {one.description !== "" && <div className="sub">{one.description}</div>}
            {one.next.length > 0 && (
              <ol className="fires" aria-label={t.nextFires}>{one.next.map((at) => <li key={at}><Time at={at} zone={one.timezone} look="absolute" /></li>)}</ol>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
