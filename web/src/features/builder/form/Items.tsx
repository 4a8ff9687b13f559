/** A list of tables, such as further schedules: a card each. */
import { useForm } from "~/features/builder/form/context";
import { Field } from "~/features/builder/form/Field";
import type { Spec } from "~/features/builder/form/schema";
import { useLabel } from "~/features/builder/labels";
import { valueAt, type Path } from "~/features/builder/paths";
import { texts } from "~/features/builder/texts";
import { useTexts } from "~/lib/i18n";
import { Button } from "~/ui/Button";

const FIRST_VALUES: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  schedules: { name: "further", schedule: "0 6 * * *" },
  presets: { name: "preset" },
  params: { name: "value", type: "string" },
};

export function Items({ spec, path }: { spec: Spec; path: Path }) {
  const t = useTexts(texts);
  const { session, seen, disabled } = useForm();
  const label = useLabel(spec.key);
  const value = valueAt(seen.form, path);
  const items = Array.isArray(value) ? (value as readonly unknown[]) : [];
  const add = () => {
    const first = FIRST_VALUES[spec.key] ?? {};
    const taken = new Set(items.map((_, index) => valueAt(items, [index, "name"])));
    let name = String(first.name ?? "item");
    for (let number = 2; taken.has(name); number++) name = `${String(first.name ?? "item")}-${number}`;
    const made = { ...first, name };
    session.edit(items.length === 0 ? { op: "set", path, value: [made] } : { op: "insert", path: [...path, items.length], value: made });
  };
  return (
    <div className="items" role="group" aria-label={label}>
      {items.map((item, index) => {
        const name = String(valueAt(item, ["name"]) ?? index + 1);
        return (
          <fieldset key={index} className="item">
            <legend className="sr">{name}</legend>
            <div className="fields">
              {spec.fields.map((one) => <Field key={one.key} spec={one} within={[...path, index]} />)}
            </div>
            {!disabled && (
              <Button small tone="quiet" icon="x" aria-label={t.removeKey(name)} title={t.removeKey(name)}
                onClick={() => session.edit({ op: "remove", path: items.length === 1 ? path : [...path, index] })} />
            )}
          </fieldset>
        );
      })}
      {!disabled && <Button small icon="plus" onClick={add}>{t.addItem(label)}</Button>}
    </div>
  );
}
