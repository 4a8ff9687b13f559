/** One key of the definition as a field: the kind of input follows from the schema, some keys have one of their own. */
import { useId } from "react";

import { removeKey, usePlace, useForm, type Place } from "~/features/builder/form/context";
import { Boxes, Framed, Pick, Typed } from "~/features/builder/form/inputs";
import { Items } from "~/features/builder/form/Items";
import { KeyValues } from "~/features/builder/form/KeyValues";
import { SPECIAL } from "~/features/builder/form/special";
import type { Spec } from "~/features/builder/form/schema";
import { useChoices, useLabel } from "~/features/builder/labels";
import { isTable, problemsAt, valueAt, type Path } from "~/features/builder/paths";
import { texts } from "~/features/builder/texts";
import { isToken, readNumber, readValue, readWords, writeValue } from "~/features/builder/values";
import { useTexts } from "~/lib/i18n";
import { Toggle } from "~/ui/Toggle";

export interface FieldProps {
  spec: Spec;
  /** The table it stands in. */
  within: Path;
  /** Goes away with its last key. */
  optional?: Path | undefined;
}

/** As it is written: an older spelling stays. */
export function useKeyOf(spec: Spec, within: Path): string {
  const { seen } = useForm();
  const table = valueAt(seen.form, within);
  return spec.spellings.find((key) => isTable(table) && key in table) ?? spec.key;
}

export function Field(props: FieldProps) {
  const { spec, within, optional } = props;
  const path = [...within, useKeyOf(spec, within)];
  const place = usePlace(path, optional);
  const Special = SPECIAL[spec.key];
  if (Special !== undefined && (!isToken(place.value) || spec.kind === "text")) return <Special {...props} path={path} place={place} />;
  if (isToken(place.value) && spec.kind !== "group") return <Plain {...props} path={path} place={place} />;
  if (spec.kind === "group") return <Group spec={spec} path={path} />;
  if (spec.kind === "items") return <Items spec={spec} path={path} />;
  return <Plain {...props} path={path} place={place} />;
}

export type SpecialProps = FieldProps & { path: Path; place: Place };

function Plain({ spec, path, place }: SpecialProps) {
  const label = useLabel(spec.key);
  const id = useId();
  const { value, problems } = place;
  const wide = spec.kind === "table" || spec.kind === "choices";
  if (spec.kind === "bool" && !isToken(value)) return <Switch spec={spec} place={place} />;
  return (
    <Framed id={id} label={label} required={spec.required} help={spec.description} problem={problems[0]?.message} wide={wide}>
      <Input id={id} spec={spec} path={path} place={place} label={label} />
    </Framed>
  );
}

function Switch({ spec, place }: { spec: Spec; place: Place }) {
  const label = useLabel(spec.key);
  const checked = typeof place.value === "boolean" ? place.value : spec.fallback === true;
  return (
    <div className="field switch" title={spec.description}>
      <Toggle label={label} checked={checked} disabled={place.disabled} onChange={(on) => place.set(on === spec.fallback ? undefined : on)} />
      <span aria-hidden="true">{label}</span>
      {place.problems[0] && <span className="err">{place.problems[0].message}</span>}
    </div>
  );
}

function Input({ id, spec, path, place, label }: { id: string; spec: Spec; path: Path; place: Place; label: string }) {
  const t = useTexts(texts);
  const { session } = useForm();
  const inWords = useChoices(spec.key);
  const { value, problems, disabled, set } = place;
  const invalid = problems.length > 0;
  const describedBy = [invalid && `${id}-e`, spec.description && `${id}-h`].filter(Boolean).join(" ") || undefined;
  const usual = spec.fallback === null || spec.fallback === "" || Array.isArray(spec.fallback) ? "" : String(spec.fallback);
  const shared = { id, value, disabled, invalid, describedBy, onChange: set };
  const kind = isToken(value) ? "text" : spec.kind;
  switch (kind) {
    case "choice":
      return <Pick {...shared} none={usual === "" ? t.none : t.usually(inWords(usual))} options={spec.choices.filter((one) => one !== usual || value === one).map((one) => ({ value: one, label: inWords(one) }))} />;
    case "number":
      return <Typed {...shared} mono numeric placeholder={usual} write={(one) => (one == null ? "" : String(one))} read={readNumber} />;
    case "words":
      return <Typed {...shared} placeholder={t.wordsHint} write={(one) => (Array.isArray(one) ? one.join(", ") : one == null ? "" : String(one))} read={readWords} />;
    case "choices": {
      const chosen = (Array.isArray(value) ? value : Array.isArray(spec.fallback) ? spec.fallback : []) as readonly string[];
      return <Boxes label={label} options={spec.choices} value={chosen} disabled={disabled} onChange={set} />;
    }
    case "table":
      return (
        <KeyValues id={id} label={label} value={value} disabled={disabled}
          onSet={(key, item) => session.edit({ op: "set", path: [...path, key], value: item })}
          onRemove={(key) => removeKey(place, path, key, session)} />
      );
    case "any":
      return <Typed {...shared} mono write={writeValue} placeholder={usual} read={(typed) => (typed === "" ? undefined : readValue(typed))} />;
    default:
      return <Typed {...shared} mono={spec.key !== "description"} placeholder={usual} write={(one) => (one == null ? "" : String(one))} read={(typed) => (typed === "" ? undefined : typed)} />;
  }
}

/** Of a copy's source and target: always shown. Everything else waits behind "more" until it is written. */
const USUAL_AT_ENDS: ReadonlySet<string> = new Set(["connector", "schema", "table", "query"]);

function Group({ spec, path }: { spec: Spec; path: Path }) {
  const t = useTexts(texts);
  const { seen } = useForm();
  const label = useLabel(spec.key);
  const problems = seen.draft?.problems ?? [];
  const own = problemsAt(problems, path);
  const isEnd = spec.key === "source" || spec.key === "target";
  const table = valueAt(seen.form, path);
  const isRare = (one: Spec) => isEnd && !USUAL_AT_ENDS.has(one.key) && !(isTable(table) && one.key in table);
  const rare = spec.fields.filter(isRare);
  const field = (one: Spec) => <Field key={one.key} spec={one} within={path} optional={spec.required ? undefined : path} />;
  return (
    <fieldset className="grp" title={spec.description}>
      <legend>{label}</legend>
      <div className={isEnd ? "two tight" : "fields"}>{spec.fields.filter((one) => !isRare(one)).map(field)}</div>
      {rare.length > 0 && (
        <details className="more-box" open={rare.some((one) => problemsAt(problems, [...path, one.key], true).length > 0) || undefined}>
          <summary>{t.moreOptions}</summary>
          <div className="two tight">{rare.map(field)}</div>
        </details>
      )}
      {own[0] && <span className="err">{own[0].message}</span>}
    </fieldset>
  );
}
