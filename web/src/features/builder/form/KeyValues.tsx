/** A table of free keys: one row each, values as one types them in TOML. */
import { useState } from "react";

import { isTable } from "~/features/builder/paths";
import { texts } from "~/features/builder/texts";
import { readValue, writeValue } from "~/features/builder/values";
import { useTexts } from "~/lib/i18n";
import { Button } from "~/ui/Button";
import { Typed } from "~/features/builder/form/inputs";

interface Props {
  id: string;
  label: string;
  value: unknown;
  disabled: boolean;
  /** Keys that are shown elsewhere. */
  without?: readonly string[];
  onSet: (key: string, value: unknown) => void;
  onRemove: (key: string) => void;
}

export function KeyValues({ id, label, value, disabled, without = [], onSet, onRemove }: Props) {
  const t = useTexts(texts);
  const [key, setKey] = useState("");
  const table = isTable(value) ? value : {};
  const rows = Object.entries(table).filter(([name]) => !without.includes(name));
  const fresh = key.trim() !== "" && !(key.trim() in table);
  const add = () => {
    if (!fresh) return;
    onSet(key.trim(), "");
    setKey("");
    const made = `${id}-${key.trim()}`;
    requestAnimationFrame(() => document.getElementById(made)?.focus());
  };
  return (
    <div className="kvs" role="group" aria-label={label}>
      {rows.map(([name, item]) => (
        <div key={name} className="kvs-row">
          <label htmlFor={`${id}-${name}`} className="mono trunc">{name}</label>
          <Typed id={`${id}-${name}`} mono value={item} disabled={disabled} write={writeValue} read={readValue} onChange={(next) => onSet(name, next)} />
          {!disabled && <Button small tone="quiet" icon="x" aria-label={t.removeKey(name)} title={t.removeKey(name)} onClick={() => onRemove(name)} />}
        </div>
      ))}
      {!disabled && (
        <div className="kvs-row">
          <input
            id={`${id}-new`}
            className="input mono"
            aria-label={t.newKey(label)}
            placeholder={t.newKeyHint}
            value={key}
            onChange={(event) => setKey(event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key !== "Enter") return;
              event.preventDefault();
              add();
            }}
          />
          <Button small icon="plus" disabled={!fresh} onClick={add}>{t.addKey}</Button>
        </div>
      )}
    </div>
  );
}
