/** The plain inputs of the form: each shows what the definition says and keeps what is typed while it has the focus. */
import { useState, type ReactNode } from "react";

import { Icon } from "~/ui/Icon";

export interface InputProps {
  id: string;
  value: unknown;
  onChange: (value: unknown) => void;
  disabled?: boolean;
  invalid?: boolean;
  describedBy?: string | undefined;
  placeholder?: string;
}

export function aria({ invalid, describedBy }: Pick<InputProps, "invalid" | "describedBy">) {
  return { "aria-invalid": invalid || undefined, "aria-describedby": describedBy };
}

interface TypedProps extends InputProps {
  write: (value: unknown) => string;
  read: (typed: string) => unknown;
  mono?: boolean;
  list?: string | undefined;
  numeric?: boolean;
  lines?: number;
}

/** "1." is no number yet, and must not be taken away from who is typing 1.5. */
export function Typed({ id, value, onChange, disabled, placeholder, write, read, mono, list, numeric, lines, ...rest }: TypedProps) {
  const [typed, setTyped] = useState<string | null>(null);
  const shared = {
    id,
    className: mono ? "input mono" : "input",
    value: typed ?? write(value),
    disabled,
    placeholder,
    autoComplete: "off",
    spellCheck: false,
    onFocus: () => setTyped(write(value)),
    onBlur: () => setTyped(null),
    ...aria(rest),
  };
  const change = (text: string) => {
    setTyped(text);
    onChange(read(text));
  };
  if (lines !== undefined) return <textarea {...shared} rows={lines} onChange={(event) => change(event.currentTarget.value)} />;
  return <input {...shared} list={list} inputMode={numeric ? "decimal" : undefined} onChange={(event) => change(event.currentTarget.value)} />;
}

export interface Option { value: string; label?: string }

interface PickProps extends InputProps {
  options: readonly Option[];
  /** The first entry: nothing written. */
  none?: string | undefined;
  mono?: boolean;
}

export function Pick({ id, value, onChange, disabled, options, none, mono, ...rest }: PickProps) {
  const text = value === undefined || value === null ? "" : String(value);
  const known = options.some((one) => one.value === text);
  return (
    <span className="sel">
      <select
        id={id}
        className={mono ? "input mono" : "input"}
        value={text}
        disabled={disabled}
        onChange={(event) => onChange(event.currentTarget.value === "" ? undefined : event.currentTarget.value)}
        {...aria(rest)}
      >
        {(none !== undefined || text === "") && <option value="">{none ?? ""}</option>}
        {!known && text !== "" && <option value={text}>{text}</option>}
        {options.map((one) => <option key={one.value} value={one.value}>{one.label ?? one.value}</option>)}
      </select>
      <Icon name="down" />
    </span>
  );
}

export function Boxes({ options, value, onChange, disabled, label }: { options: readonly string[]; value: readonly string[]; onChange: (value: readonly string[]) => void; disabled: boolean; label: string }) {
  return (
    <div className="boxes" role="group" aria-label={label}>
      {options.map((one) => (
        <label key={one} className="row">
          <input
            type="checkbox"
            className="check"
            checked={value.includes(one)}
            disabled={disabled}
            onChange={(event) => onChange(options.filter((other) => (other === one ? event.currentTarget.checked : value.includes(other))))}
          />
          {one}
        </label>
      ))}
    </div>
  );
}

/** Label, input, what is wrong: read together. */
export function Framed({ id, label, required, help, problem, children, wide }: { id: string; label: ReactNode; required?: boolean; help?: string; problem?: ReactNode; children: ReactNode; wide?: boolean }) {
  return (
    <div className={wide ? "field wide" : "field"}>
      <label htmlFor={id} title={help}>{label}{required && <span className="req" aria-hidden="true"> *</span>}</label>
      {children}
      {help && <span className="sr" id={`${id}-h`}>{help}</span>}
      {problem && <span className="err" id={`${id}-e`}><Icon name="s-bad" /><span>{problem}</span></span>}
    </div>
  );
}
