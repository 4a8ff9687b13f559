/** Give the filter in force a name; forget one that is kept. Loaded when it is opened. */
import { useId, useState, type FormEvent } from "react";

import { forgetFilter, saveFilter, type SavedFilter } from "~/lib/saved";
import { useTexts } from "~/lib/i18n";
import { Button } from "~/ui/Button";
import { Dialog } from "~/ui/Dialog";
import { texts } from "~/ui/texts";

interface Props {
  page: string;
  filter: string;
  saved: readonly SavedFilter[];
  onSaved: (saved: readonly SavedFilter[]) => void;
  onClose: () => void;
}

export default function SaveFilter({ page, filter, saved, onSaved, onClose }: Props) {
  const t = useTexts(texts);
  const id = useId();
  const [name, setName] = useState("");
  const save = (event: FormEvent) => {
    event.preventDefault();
    onSaved(saveFilter(page, name.trim(), filter));
    onClose();
  };
  return (
    <Dialog
      title={t.saveFilter}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{t.cancel}</Button>
          <Button type="submit" form={id} tone="primary" disabled={name.trim() === "" || filter === ""}>{t.save}</Button>
        </>
      }
    >
      {saved.length > 0 && (
        <ul className="saved-list" aria-label={t.saved}>
          {saved.map((one) => (
            <li key={one.name}>
              <b>{one.name}</b> <span className="faint trunc grow">{one.filter}</span>
              <Button small tone="quiet" icon="x" aria-label={t.forget(one.name)} onClick={() => onSaved(forgetFilter(page, one.name))} />
            </li>
          ))}
        </ul>
      )}
      <form id={id} onSubmit={save} className="field">
        <label htmlFor={`${id}-name`}>{t.savedName}</label>
        <input id={`${id}-name`} className="input" value={name} maxLength={40} data-autofocus onChange={(event) => setName(event.currentTarget.value)} />
        <span className="help">{filter}</span>
      </form>
    </Dialog>
  );
}
