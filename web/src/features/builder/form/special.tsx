/** Keys whose field knows more than the schema: connectors, tables, jobs, zones, functions and SQL. */
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useId, type ComponentType } from "react";

import { jobsQuery } from "~/api/jobs";
import { CallableField, KwargsField } from "~/features/builder/form/callables";
import { useForm } from "~/features/builder/form/context";
import type { SpecialProps } from "~/features/builder/form/Field";
import { Framed, Pick, Typed } from "~/features/builder/form/inputs";
import { useLabel } from "~/features/builder/labels";
import { valueAt, type Path } from "~/features/builder/paths";
import { tablesQuery, useConnectors } from "~/features/builder/queries";
import { texts } from "~/features/builder/texts";
import { useTexts } from "~/lib/i18n";

const SqlEditor = lazy(() => import("~/features/builder/text/SqlEditor"));

const plainText = (one: unknown) => (one == null ? "" : String(one));
const orNothing = (typed: string) => (typed === "" ? undefined : typed);

/** Ids, words and error of a field, the same for all below. */
function useFrame({ spec, place }: SpecialProps) {
  const id = useId();
  const label = useLabel(spec.key);
  const [problem] = place.problems;
  const describedBy = [problem && `${id}-e`, spec.description && `${id}-h`].filter(Boolean).join(" ") || undefined;
  return {
    frame: { id, label, required: spec.required, help: spec.description, problem: problem?.message },
    input: { id, value: place.value, disabled: place.disabled, invalid: problem !== undefined, describedBy, onChange: place.set },
  };
}

/** The type of the step a place is in. */
function useStepType(path: Path): unknown {
  const { seen } = useForm();
  return valueAt(seen.form, [...path.slice(0, 2), "type"]);
}

function ConnectorField(props: SpecialProps) {
  const t = useTexts(texts);
  const { frame, input } = useFrame(props);
  const wanted = useStepType(props.path) === "http" ? "api" : "sql";
  const options = useConnectors().filter((one) => one.type === wanted).map((one) => ({ value: one.name }));
  return <Framed {...frame}><Pick {...input} options={options} none={props.spec.required ? t.choose : t.none} /></Framed>;
}

function PoolField(props: SpecialProps) {
  const t = useTexts(texts);
  const { seen } = useForm();
  const { frame, input } = useFrame(props);
  const name = valueAt(seen.form, [...props.within, "connector"]);
  const found = useConnectors().find((one) => one.name === name);
  const pools = [...new Set([...(found?.pools ?? []), ...(found?.pool ? [found.pool] : [])])].map((value) => ({ value }));
  return <Framed {...frame}><Pick {...input} options={pools} none={found?.pool ? t.usually(found.pool) : t.none} /></Framed>;
}

function EndpointField(props: SpecialProps) {
  const t = useTexts(texts);
  const { seen } = useForm();
  const { frame, input } = useFrame(props);
  const name = valueAt(seen.form, [...props.within, "connector"]);
  const endpoints = useConnectors().find((one) => one.name === name)?.endpoints ?? [];
  return <Framed {...frame}><Pick {...input} none={t.none} options={endpoints.map((one) => ({ value: String(one.name) }))} /></Framed>;
}

function TargetJobField(props: SpecialProps) {
  const t = useTexts(texts);
  const { name } = useForm();
  const { frame, input } = useFrame(props);
  const jobs = useQuery(jobsQuery).data ?? [];
  const options = jobs.filter((one) => one.name !== name).map((one) => ({ value: one.name }));
  return <Framed {...frame}><Pick {...input} options={options} none={t.choose} /></Framed>;
}

const ZONES = Intl.supportedValuesOf("timeZone");

function ZoneField(props: SpecialProps) {
  const t = useTexts(texts);
  const { frame, input } = useFrame(props);
  return (
    <Framed {...frame}>
      <Typed {...input} list={`${frame.id}-l`} placeholder={t.serversZone} write={plainText} read={orNothing} />
      <datalist id={`${frame.id}-l`}>{ZONES.map((zone) => <option key={zone} value={zone} />)}</datalist>
    </Framed>
  );
}

/** Tables of the live connection; what is not there may be typed all the same. */
function TableField(props: SpecialProps) {
  const { seen } = useForm();
  const { frame, input } = useFrame(props);
  const connector = valueAt(seen.form, [...props.within, "connector"]);
  const schema = valueAt(seen.form, [...props.within, "schema"]);
  const known = useConnectors().some((one) => one.name === connector && one.type === "sql");
  const tables = useQuery({
    ...tablesQuery(plainText(connector), typeof schema === "string" && !schema.includes("$") ? schema : null),
    enabled: known,
  });
  return (
    <Framed {...frame}>
      <Typed {...input} mono list={`${frame.id}-l`} write={plainText} read={orNothing} />
      <datalist id={`${frame.id}-l`}>{tables.data?.items.map((one) => <option key={one.name} value={one.name} />)}</datalist>
    </Framed>
  );
}

function SqlField(props: SpecialProps) {
  const { seen } = useForm();
  const { frame, input } = useFrame(props);
  const { place, within, spec } = props;
  const here = valueAt(seen.form, [...within, "connector"]) ?? valueAt(seen.form, [...within, "source", "connector"]);
  const name = plainText(here);
  const connector = useConnectors().find((one) => one.name === name);
  const queries = spec.key === "query" ? (connector?.queries ?? []).map((one) => String(one.name)) : [];
  return (
    <div className="field wide">
      <span className="lbl" id={frame.id} title={frame.help}>{frame.label}{frame.required && <span className="req" aria-hidden="true"> *</span>}</span>
      <Suspense fallback={<pre className="input mono sql">{plainText(place.value)}</pre>}>
        <SqlEditor
          value={plainText(place.value)}
          label={frame.label}
          describedBy={input.describedBy}
          invalid={input.invalid}
          disabled={place.disabled}
          connector={connector?.type === "sql" ? name : null}
          queries={queries}
          onChange={(text) => place.set(orNothing(text))}
        />
      </Suspense>
      {frame.help && <span className="sr" id={`${frame.id}-h`}>{frame.help}</span>}
      {frame.problem && <span className="err" id={`${frame.id}-e`}>{frame.problem}</span>}
    </div>
  );
}

export const SPECIAL: Readonly<Record<string, ComponentType<SpecialProps> | undefined>> = {
  connector: ConnectorField,
  pool: PoolField,
  endpoint: EndpointField,
  target_job: TargetJobField,
  timezone: ZoneField,
  table: TableField,
  query: SqlField,
  where: SqlField,
  callable: CallableField,
  transform: CallableField,
  op_kwargs: KwargsField,
};
