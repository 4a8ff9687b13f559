/** A menu of filters kept by name in this browser; the button says which one is in force. */
import { lazy, Suspense, useState } from "react";

import { savedFilters } from "~/lib/saved";
import { useTexts } from "~/lib/i18n";
import { Button } from "~/ui/Button";
import { Icon } from "~/ui/Icon";
import { Menu, type Entry } from "~/ui/Menu";
import { texts } from "~/ui/texts";

const SaveFilter = lazy(() => import("~/ui/SaveFilter"));

interface Props {
  /** "jobs": each page keeps its own. */
  page: string;
  filter: string;
  onFilter: (filter: string) => void;
}

export function SavedFilters({ page, filter, onFilter }: Props) {
  const t = useTexts(texts);
  const [saved, setSaved] = useState(() => savedFilters(page));
  const [saving, setSaving] = useState(false);
  const current = filter === "" ? undefined : saved.find((one) => one.filter === filter);
  const entries: Entry[] = [
    ...saved.map((one): Entry => ({ label: one.name, icon: "filter", run: () => onFilter(one.filter) })),
    { label: t.saveFilter, icon: "plus", run: () => setSaving(true) },
  ];
  if (saved.length === 0 && filter === "") return null;
  return (
    <>
      <Menu entries={entries} button={<Button className="wide-only">{<span className="row">{current?.name ?? t.saved}<Icon name="down" /></span>}</Button>} />
      {saving && (
        <Suspense>
          <SaveFilter page={page} filter={filter} saved={saved} onSaved={setSaved} onClose={() => setSaving(false)} />
        </Suspense>
      )}
    </>
  );
}
