/** When the job runs: the rule, what it means in words, its next instants, and what to know before saving it. */
import { useQuery } from "@tanstack/react-query";
import { useDeferredValue, useId } from "react";

import { useForm, usePlace } from "~/features/builder/form/context";
import { Field } from "~/features/builder/form/Field";
import { Framed, Typed } from "~/features/builder/form/inputs";
import { Items } from "~/features/builder/form/Items";
import { tableOf } from "~/features/builder/form/schema";
import { isTable, problemsAt, valueAt } from "~/features/builder/paths";
import { previewQuery } from "~/features/builder/queries";
import { texts } from "~/features/builder/texts";
import { locale, useTexts } from "~/lib/i18n";
import { Icon } from "~/ui/Icon";
import { Time } from "~/ui/Time";
import { useNow } from "~/lib/now";

const FIRES = 5;

export function SchedulePanel() {
  const t = useTexts(texts);
  const id = useId();
  const { seen, schema } = useForm();
  const schedule = usePlace(["schedule"]);
  const zone = valueAt(seen.form, ["timezone"]);
  const rule = useDeferredValue(typeof schedule.value === "string" ? schedule.value.trim() : "");
  const preview = useQuery({
    ...previewQuery(rule, typeof zone === "string" && zone !== "" ? zone : null, FIRES),
    enabled: rule !== "",
    placeholderData: (before) => before,
  });
  const fields = tableOf(schema, "Job");
  const spec = (key: string) => fields.find((one) => one.key === key);
  const problem = schedule.problems[0]?.message ?? (rule !== "" && preview.isError ? preview.error.message : undefined);
  const shown = rule !== "" && problem === undefined ? preview.data : undefined;
  // Of the rule itself: they stay while something else in the text is wrong.
  const warnings = shown?.warnings ?? [];
  const doubts = (seen.draft?.warnings ?? []).filter((one) => one.path.length > 1 && one.path.at(-1) === "schedule");
  const further = spec("schedules");
  const many = valueAt(seen.form, ["schedules"]);
  return (
    <section className="panel" aria-label={t.schedule}>
      <div className="panel-head"><h2>{t.schedule}</h2></div>
      <div className="panel-body sched">
        <div>
          <Framed id={id} label={t.when} problem={problem}>
            <Typed id={id} mono value={schedule.value} disabled={schedule.disabled} invalid={problem !== undefined} placeholder={t.byHand}
              describedBy={problem === undefined ? `${id}-w` : `${id}-e`} onChange={schedule.set}
              write={(one) => (one == null ? "" : String(one))} read={(typed) => (typed === "" ? undefined : typed)} />
          </Framed>
          <p className="words" id={`${id}-w`} aria-live="polite">
            <Icon name={rule === "" ? "s-manual" : "s-late"} />
            {rule === "" ? t.onlyByHand : (shown?.text ?? "…")}
          </p>
          <div className="two">
            {["timezone", "catchup"].map((key) => {
              const found = spec(key);
              return found && <Field key={key} spec={found} within={[]} />;
            })}
          </div>
        </div>
        <div>
          <h3>{t.nextFires(FIRES)}</h3>
          <ol className="fires">
            {Array.from({ length: FIRES }, (_, index) => <Fire key={index} at={shown?.next[index]} zone={shown?.timezone} />)}
          </ol>
        </div>
        {warnings.map((one) => (
          <div key={one.text} className="note warn dst"><Icon name={one.kind === "daylight" ? "dst" : "warn"} /><span>{one.text}</span></div>
        ))}
        {further !== undefined && (
          <details className="dst more-box" open={Array.isArray(many) && many.length > 0 ? true : undefined}>
            <summary>{t.furtherSchedules}{Array.isArray(many) && <span className="count"> {many.filter(isTable).length}</span>}</summary>
            <Items spec={further} path={["schedules"]} />
            <FurtherWords />
            {doubts.map((one) => <div key={one.message} className="note warn"><Icon name="warn" /><span>{one.message}</span></div>)}
          </details>
        )}
        {problemsAt(seen.draft?.problems ?? [], ["schedules"]).map((one) => <p key={one.message} className="err dst">{one.message}</p>)}
      </div>
    </section>
  );
}

/** Day, time in the job's zone, and how far away: as wide as it will be, also while there is nothing to say. */
function Fire({ at, zone }: { at: string | undefined; zone: string | undefined }) {
  useNow((now) => Math.floor(now.getTime() / 60_000));
  if (at === undefined || zone === undefined) return <li aria-hidden="true"><span className="faint">–</span></li>;
  const instant = new Date(at);
  const part = (options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(locale(), { ...options, timeZone: zone }).format(instant);
  return (
    <li>
      <span>{part({ weekday: "short", day: "numeric", month: "short" })}</span>
      <b>{part({ hour: "2-digit", minute: "2-digit" })} {zoneName(instant, zone)}</b>
      <span className="faint"><Time at={at} zone={zone} /></span>
    </li>
  );
}

/** EST, CET: short names are in the data of the zone's own country only; American English has the most. */
function zoneName(instant: Date, zone: string): string {
  const parts = ["en-US", "en-GB"].map((of) =>
    new Intl.DateTimeFormat(of, { timeZone: zone, timeZoneName: "short" }).formatToParts(instant).find((one) => one.type === "timeZoneName")?.value ?? "");
  return parts.find((one) => !/\d/.test(one)) ?? parts[0] ?? "";
}

/** What the further schedules come to, as the server says it. */
function FurtherWords() {
  const { seen } = useForm();
  const named = (seen.draft?.schedules ?? []).filter((one) => one.name !== null);
  if (named.length === 0) return null;
  return (
    <ul className="further">
      {named.map((one) => (
        <li key={one.key}><b>{one.name}</b> {one.text} {one.next[0] !== undefined && <span className="faint"><Time at={one.next[0]} zone={one.timezone} /></span>}</li>
      ))}
    </ul>
  );
}
