/** One value of a run: the input that fits its kind, what it is by default, and what is wrong with it. */
import { useQuery } from "@tanstack/react-query";
import { useId, type ComponentProps } from "react";

import { isBlank, textOf, type Fault, type Field } from "~/features/jobs/form";
import { connectorsQuery } from "~/features/jobs/queries";
import { texts } from "~/features/jobs/texts";
import { useTexts } from "~/lib/i18n";
import { Icon } from "~/ui/Icon";
import { Select } from "~/ui/Select";
import { Toggle } from "~/ui/Toggle";

interface Props {
  field: Field;
  base: { value: unknown; has: boolean };
  /** What was typed; undefined: not touched. */
  value: string | boolean | undefined;
  changed: boolean;
  fault: Fault | undefined;
  first?: boolean;
  onValue: (value: string | boolean | undefined) => void;
}

export function FieldInput({ field, base, value, changed, fault, first = false, onValue }: Props) {
  const t = useTexts(texts);
  const id = useId();
  const blank = isBlank(field, base.value);
  const shown = typeof value === "string" ? value : textOf(field, base.value);
  const described = `${id}-help`;
  const common = {
    id, "aria-describedby": described, "aria-invalid": fault !== undefined || undefined, "aria-required": field.required || undefined,
    ...(first && { "data-autofocus": true }),
  };
  const type = <span className="tyl">{field.is_secret ? t.kindSecret : field.picker === "connector" ? t.kindConnector : t.kind(field.choices === null ? field.kind : "choice")}{field.required && <>, {t.required}</>}</span>;
  const help = <Help id={described} field={field} base={base} fault={fault} changed={changed} onReset={value === undefined ? undefined : () => onValue(undefined)} />;

  if (field.kind === "bool" && field.choices === null && !blank) {
    const on = typeof value === "boolean" ? value : base.value === true;
    return (
      <div className="field">
        <span className="lbl">{field.name} {type}</span>
        <span className="row tg"><Toggle label={field.name} checked={on} onChange={onValue} />{on ? t.yes : t.no}</span>
        {help}
      </div>
    );
  }
  const input = field.choices !== null ? (
    <Select {...common} value={shown} changed={changed} onChange={onValue}>
      {(shown === "" || field.optional || blank) && <option value="">{blank ? String(base.value) : t.notSet}</option>}
      {field.choices.map((choice, index) => <option key={String(choice)} value={index}>{String(choice)}</option>)}
    </Select>
  ) : field.picker === "connector" ? (
    <Connectors {...common} value={shown} changed={changed} placeholder={blank ? String(base.value) : t.notSet} onChange={onValue} />
  ) : field.kind === "list" || field.kind === "table" ? (
    <textarea {...common} className={look(changed)} rows={Math.min(6, shown.split("\n").length + 1)} spellCheck={false} value={shown} placeholder={field.kind === "list" ? "[]" : "{}"} onChange={(event) => onValue(event.currentTarget.value)} />
  ) : (
    <input
      {...common}
      className={look(changed)}
      type={INPUT[field.is_secret ? "secret" : field.kind] ?? "text"}
      inputMode={field.kind === "int" ? "numeric" : field.kind === "float" ? "decimal" : undefined}
      autoComplete={field.is_secret ? "new-password" : "off"}
      spellCheck={false}
      step={field.kind === "datetime" ? 1 : undefined}
      value={shown}
      placeholder={field.is_secret ? (base.has ? "••••••••" : "") : blank ? String(base.value) : t.notSet}
      onChange={(event) => onValue(event.currentTarget.value)}
    />
  );
  return (
    <div className="field">
      <label htmlFor={id}>{field.name} {type}</label>
      {input}
      {help}
    </div>
  );
}

const INPUT: Readonly<Record<string, string>> = { secret: "password", date: "date", datetime: "datetime-local" };
const look = (changed: boolean) => `input mono${changed ? " ch" : ""}`;

function Help({ id, field, base, fault, changed, onReset }: {
  id: string; field: Field; base: Props["base"]; fault: Fault | undefined; changed: boolean; onReset: (() => void) | undefined;
}) {
  const t = useTexts(texts);
  if (fault !== undefined) return <span id={id} className="err"><Icon name="s-bad" />{t.fault(fault)}</span>;
  const token = !field.is_secret && isBlank(field, base.value);
  const usual = typeof base.value === "string" ? base.value : JSON.stringify(base.value);
  return (
    <span id={id} className="help">
      {field.is_secret && base.has ? (changed ? t.secretReplaced : t.secretKept) : token && !changed ? <>{t.lookedUp} <code>{usual}</code></> : field.description}
      {changed && !field.is_secret && (
        <>{field.description && " · "}{base.has && base.value !== null ? <>{t.usually} <code className="usual">{usual}</code></> : t.changed}</>
      )}
      {changed && onReset && <> <button type="button" className="as-link" onClick={onReset}>{t.reset}</button></>}
    </span>
  );
}

function Connectors({ value, placeholder, ...rest }: ComponentProps<typeof Select> & { value: string; placeholder: string }) {
  const { data = [] } = useQuery(connectorsQuery);
  return (
    <Select {...rest} value={value}>
      <option value="">{placeholder}</option>
      {value !== "" && !data.some((one) => one.name === value) && <option>{value}</option>}
      {data.map((one) => <option key={one.name} value={one.name}>{one.label === null || one.label === one.name ? `${one.name}, ${one.type}` : `${one.name}, ${one.label}`}</option>)}
    </Select>
  );
}
