/** Everything about a job that is not its schedule or its steps: folded away behind one line that says what holds. */
import { useQuery } from "@tanstack/react-query";
import { useId, useState, type ReactNode } from "react";

import { useForm, usePlace } from "~/features/builder/form/context";
import { Field } from "~/features/builder/form/Field";
import { Framed, Pick, Typed } from "~/features/builder/form/inputs";
import { Items } from "~/features/builder/form/Items";
import { tableOf, type Spec } from "~/features/builder/form/schema";
import { summaries, type SectionName } from "~/features/builder/form/summaries";
import { isBelow, isTable, valueAt } from "~/features/builder/paths";
import { jobFilesQuery } from "~/features/builder/queries";
import { texts } from "~/features/builder/texts";
import { useTexts } from "~/lib/i18n";
import { Icon } from "~/ui/Icon";

const KEYS: Readonly<Record<SectionName, readonly string[]>> = {
  identity: ["app", "description", "tags", "enabled"],
  params: ["params", "presets"],
  retry: ["retry"],
  alerts: ["alerts"],
  dependsOn: ["depends_on"],
  limits: ["single_instance", "overlap", "max_queued", "timeout_seconds", "catchup_window_seconds", "log_level", "install_step", "step_defaults"],
};

export function Sections({ isNew }: { isNew: boolean }) {
  const t = useTexts(texts);
  const { seen } = useForm();
  const said = summaries(seen.form, t);
  const names = (Object.keys(KEYS) as SectionName[]).filter((name) => !(isNew && name === "identity"));
  return (
    <section className="panel acc" aria-label={t.otherSettings}>
      {names.map((name) => <Section key={name} name={name} summary={said[name]} />)}
    </section>
  );
}

function Section({ name, summary }: { name: SectionName; summary: string }) {
  const t = useTexts(texts);
  const id = useId();
  const { seen } = useForm();
  const [open, setOpen] = useState(false);
  const wrong = (seen.draft?.problems ?? []).some((one) => KEYS[name].some((key) => isBelow(one.path, [key])));
  return (
    <>
      <h3 className="acc-h">
        <button type="button" aria-expanded={open || wrong} aria-controls={id} onClick={() => setOpen(!open)}>
          <Icon name={open || wrong ? "down" : "right"} />
          <b>{t[name]}</b>
          <span className="trunc">{summary}</span>
          {wrong && <span className="st st-bad"><Icon name="s-bad" /><span className="sr">{t.hasProblem}</span></span>}
        </button>
      </h3>
      {(open || wrong) && <div className="acc-in" id={id}><Fields name={name} /></div>}
    </>
  );
}

function Fields({ name }: { name: SectionName }) {
  const { schema } = useForm();
  const specs = tableOf(schema, "Job");
  const wanted = KEYS[name].flatMap((key) => specs.find((one) => one.key === key) ?? []);
  if (name === "params") return <Params specs={wanted} />;
  const groups = wanted.every((one) => one.kind === "group");
  return (
    <div className={groups ? "" : "fields"}>
      {wanted.map((one) => groups
        ? one.fields.length > 0 && <div key={one.key} className="fields">{one.fields.map((field) => <Field key={field.key} spec={field} within={[one.key]} optional={[one.key]} />)}</div>
        : <Field key={one.key} spec={one} within={[]} />)}
    </div>
  );
}

/** Params are free keys, or a list of declarations; both may be written. */
function Params({ specs }: { specs: readonly Spec[] }) {
  const t = useTexts(texts);
  const { seen, schema, session, disabled } = useForm();
  const value = valueAt(seen.form, ["params"]);
  const [params, presets] = specs;
  if (params === undefined || presets === undefined) return null;
  const declared: Spec = { ...params, kind: "items", fields: tableOf(schema, "ParamSpec") };
  const plain: Spec = { ...params, kind: "table" };
  const declare = () => {
    const list = Object.entries(isTable(value) ? value : {}).map(([name, item]) => ({ name, type: typeOf(item), default: item }));
    session.edit({ op: "set", path: ["params"], value: list.length > 0 ? list : [{ name: "value", type: "string" }] });
  };
  return (
    <>
      {Array.isArray(value) ? <Items spec={declared} path={["params"]} /> : <Field spec={plain} within={[]} />}
      {!Array.isArray(value) && !disabled && <button type="button" className="btn quiet small" onClick={declare}>{t.declareParams}</button>}
      <details className="more-box">
        <summary>{t.presets}</summary>
        <Items spec={presets} path={["presets"]} />
      </details>
    </>
  );
}

function typeOf(value: unknown): string {
  if (typeof value === "boolean") return "bool";
  if (typeof value === "number") return Number.isInteger(value) ? "int" : "float";
  return "string";
}

/** Of a new job: its name and where it goes come first. */
export function IdentityPanel({ file, onFile }: { file: string | null; onFile: (file: string) => void }) {
  const t = useTexts(texts);
  const id = useId();
  const { schema } = useForm();
  const name = usePlace(["name"]);
  const files = useQuery(jobFilesQuery).data ?? [];
  const specs = tableOf(schema, "Job");
  const problem = name.value === "" ? undefined : name.problems[0]?.message;
  const rest: ReactNode = KEYS.identity.map((key) => {
    const spec = specs.find((one) => one.key === key);
    return spec && <Field key={key} spec={spec} within={[]} />;
  });
  return (
    <section className="panel" aria-label={t.identity}>
      <div className="panel-head"><h2>{t.identity}</h2></div>
      <div className="panel-body fields">
        <Framed id={`${id}-n`} label={t.name} required problem={problem}>
          <Typed id={`${id}-n`} mono value={name.value} disabled={name.disabled} invalid={problem !== undefined} describedBy={problem && `${id}-n-e`}
            onChange={(value) => name.set(value)} write={(one) => (one == null ? "" : String(one))} read={(typed) => typed} placeholder={t.nameHint} />
        </Framed>
        <Framed id={`${id}-f`} label={t.file}>
          <Pick id={`${id}-f`} value={file ?? files.find((one) => one.is_default)?.file} options={files.map((one) => ({ value: one.file }))} onChange={(value) => onFile(String(value))} />
        </Framed>
        {rest}
      </div>
    </section>
  );
}
