/** Filters kept by name in this browser. */
import { useId, useState, type FormEvent } from "react";

import { texts } from "~/features/runs/texts";
import { useTexts } from "~/lib/i18n";
import { remember, remembered } from "~/lib/storage";
import { Button } from "~/ui/Button";
import { Dialog } from "~/ui/Dialog";
import { Menu, type Entry } from "~/ui/Menu";

interface Saved { name: string; filter: string }

const KEY = "run-filters";

export function readSaved(): readonly Saved[] {
  try {
    const found: unknown = JSON.parse(remembered(KEY) ?? "[]");
    return Array.isArray(found) ? found.filter((one: Partial<Saved> | null): one is Saved => typeof one?.name === "string" && typeof one.filter === "string") : [];
  } catch {
    return [];
  }
}

export function SavedFilters({ filter, onFilter }: { filter: string; onFilter: (text: string) => void }) {
  const t = useTexts(texts);
  const id = useId();
  const [saved, setSaved] = useState(readSaved);
  const [naming, setNaming] = useState(false);
  const [name, setName] = useState("");
  const current = saved.find((one) => one.filter === filter && filter !== "");
  const keep = (next: readonly Saved[]) => {
    remember(KEY, next.length === 0 ? null : JSON.stringify(next));
    setSaved(next);
  };
  const save = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim() === "") return;
    keep([...saved.filter((one) => one.name !== name.trim()), { name: name.trim(), filter }]);
    setNaming(false);
  };
  const entries: Entry[] = [
    ...saved.map((one): Entry => ({ label: one.name, icon: "filter", run: () => onFilter(one.filter) })),
    ...(current === undefined
      ? filter === "" ? [] : [{ label: t.saveFilter, icon: "plus", run: () => { setName(""); setNaming(true); } } as const]
      : [{ label: t.forgetFilter(current.name), icon: "x", run: () => keep(saved.filter((one) => one !== current)) } as const]),
  ];
  return (
    <>
      {entries.length > 0 && <Menu entries={entries} button={<Button icon="filter">{current?.name ?? t.savedFilters}</Button>} />}
      {naming && (
        <Dialog
          title={t.saveFilter}
          onClose={() => setNaming(false)}
          actions={
            <>
              <Button onClick={() => setNaming(false)}>{t.cancel}</Button>
              <Button tone="primary" type="submit" form={id} disabled={name.trim() === ""}>{t.save}</Button>
            </>
          }
        >
          <form id={id} className="field" onSubmit={save}>
            <label htmlFor={`${id}-name`}>{t.filterName}</label>
            <input id={`${id}-name`} className="input" data-autofocus maxLength={40} value={name} onChange={(event) => setName(event.currentTarget.value)} />
            <span className="help">{filter}</span>
          </form>
        </Dialog>
      )}
    </>
  );
}
