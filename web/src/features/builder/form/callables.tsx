/** The function of a python step: found by name, its arguments asked for as its signature types them. */
import { useQuery } from "@tanstack/react-query";
import { useId } from "react";

import { removeKey, useForm } from "~/features/builder/form/context";
import type { SpecialProps } from "~/features/builder/form/Field";
import { Framed, Pick, Typed } from "~/features/builder/form/inputs";
import { KeyValues } from "~/features/builder/form/KeyValues";
import { useLabel } from "~/features/builder/labels";
import { isTable, problemsAt, valueAt } from "~/features/builder/paths";
import { callablesQuery, type Callable } from "~/features/builder/queries";
import { texts } from "~/features/builder/texts";
import { readNumber, readValue, writeValue } from "~/features/builder/values";
import { useTexts } from "~/lib/i18n";
import { SkeletonRows } from "~/ui/States";

export function CallableField({ spec, path, place }: SpecialProps) {
  const t = useTexts(texts);
  const id = useId();
  const label = useLabel(spec.key);
  const { seen } = useForm();
  const functions = useQuery(callablesQuery).data ?? [];
  const found = functions.find((one) => one.ref === place.value);
  const [problem] = place.problems;
  const [doubt] = problemsAt(seen.draft?.warnings ?? [], path);
  return (
    <Framed id={id} label={label} required={spec.required} help={spec.description} problem={problem?.message} wide>
      <Typed
        id={id}
        mono
        value={place.value}
        onChange={place.set}
        disabled={place.disabled}
        invalid={problem !== undefined}
        describedBy={problem ? `${id}-e` : `${id}-a`}
        list={`${id}-l`}
        placeholder="app.module:function"
        write={(one) => (one == null ? "" : String(one))}
        read={(typed) => (typed === "" && !spec.required ? undefined : typed)}
      />
      <datalist id={`${id}-l`}>{functions.map((one) => <option key={one.ref} value={one.ref}>{one.summary}</option>)}</datalist>
      {!problem && (
        <span className="help trunc" id={`${id}-a`}>
          {found !== undefined ? (found.summary || t.functionFound(found.module, found.line)) : (doubt?.message ?? t.functionHint)}
        </span>
      )}
    </Framed>
  );
}

export function KwargsField({ spec, within, path, place }: SpecialProps) {
  const t = useTexts(texts);
  const id = useId();
  const label = useLabel(spec.key);
  const { session, seen } = useForm();
  const functions = useQuery(callablesQuery);
  const ref = valueAt(seen.form, [...within, "callable"]);
  const found = functions.data?.find((one) => one.ref === ref);
  const given = isTable(place.value) ? place.value : {};
  const named = found?.parameters.map((one) => one.name) ?? [];
  const rest = Object.keys(given).some((key) => !named.includes(key));
  const reading = functions.isPending;
  const set = (key: string, value: unknown) =>
    value === undefined ? removeKey(place, path, key, session) : session.edit({ op: "set", path: [...path, key], value });
  return (
    <fieldset className="grp wide" title={spec.description}>
      <legend>{label}</legend>
      {reading && <SkeletonRows rows={2} height={48} />}
      {found !== undefined && found.parameters.length > 0 && (
        <div className="fields">
          {found.parameters.map((one) => (
            <Argument key={one.name} id={`${id}-${one.name}`} parameter={one} value={given[one.name]} disabled={place.disabled}
              problem={problemsAt(seen.draft?.problems ?? [], [...path, one.name])[0]?.message} onChange={(value) => set(one.name, value)} />
          ))}
        </div>
      )}
      {found !== undefined && found.parameters.length === 0 && !found.takes_any && !rest && <p className="help">{t.noArguments}</p>}
      {!reading && (found === undefined || found.takes_any || rest) && (
        <KeyValues id={id} label={label} value={given} without={named} disabled={place.disabled} onSet={set} onRemove={(key) => set(key, undefined)} />
      )}
    </fieldset>
  );
}

interface ArgumentProps {
  id: string;
  parameter: Callable["parameters"][number];
  value: unknown;
  problem: string | undefined;
  disabled: boolean;
  onChange: (value: unknown) => void;
}

function Argument({ id, parameter, value, problem, disabled, onChange }: ArgumentProps) {
  const t = useTexts(texts);
  const label = <><span className="mono">{parameter.name}</span> <span className="tyl">{parameter.annotation ?? ""}</span></>;
  const usual = parameter.value == null ? (parameter.default ?? "") : String(parameter.value);
  const shared = { id, value, disabled, onChange, invalid: problem !== undefined, describedBy: problem ? `${id}-e` : undefined };
  const choices = parameter.choices ?? (parameter.kind === "bool" ? [true, false] : null);
  const numeric = parameter.kind === "int" || parameter.kind === "float";
  return (
    <Framed id={id} label={label} required={parameter.required} help={parameter.description} problem={problem}>
      {choices !== null ? (
        <Pick {...shared} none={usual === "" ? t.choose : t.usually(usual)} options={choices.map((one) => ({ value: String(one) }))}
          onChange={(picked) => onChange(choices.find((one) => String(one) === picked))} />
      ) : numeric ? (
        <Typed {...shared} mono numeric placeholder={usual} write={(one) => (one == null ? "" : String(one))} read={readNumber} />
      ) : parameter.kind === "string" || parameter.kind === "date" || parameter.kind === "datetime" ? (
        <Typed {...shared} mono placeholder={usual} write={(one) => (one == null ? "" : String(one))} read={(typed) => (typed === "" ? undefined : typed)} />
      ) : (
        <Typed {...shared} mono placeholder={usual} write={writeValue} read={(typed) => (typed === "" ? undefined : readValue(typed))} />
      )}
    </Framed>
  );
}
