/** Rename, duplicate and delete: what will happen is said before it does. */
import { useId, useState } from "react";

import type { Saving } from "~/features/builder/job/saving";
import type { Definition } from "~/features/builder/queries";
import { texts } from "~/features/builder/texts";
import { useTexts } from "~/lib/i18n";
import { Button } from "~/ui/Button";
import { Confirm, Dialog } from "~/ui/Dialog";
import { Icon } from "~/ui/Icon";

interface Props {
  which: "rename" | "duplicate" | "delete";
  definition: Definition;
  dirty: boolean;
  saving: Saving;
  onClose: () => void;
}

export default function JobDialogs({ which, definition, dirty, saving, onClose }: Props) {
  const t = useTexts(texts);
  const { name, file } = definition;
  if (which === "delete") {
    const { isPending, error } = saving.remove;
    return (
      <Confirm title={t.deleteTitle(name)} verb={t.deleteJob} keep={t.keepJob} dangerous busy={isPending} onClose={onClose} onConfirm={() => saving.remove.mutate()}>
        <p>{t.deleteText(file)}</p>
        {error && <p className="err" role="alert"><Icon name="s-bad" />{error.message}</p>}
      </Confirm>
    );
  }
  const action = which === "rename" ? saving.rename : saving.duplicate;
  return (
    <Naming
      title={which === "rename" ? t.renameTitle(name) : t.duplicateTitle(name)}
      verb={which === "rename" ? t.rename : t.duplicate}
      text={which === "rename" ? t.renameText : t.duplicateText}
      first={which === "rename" ? name : `${name}-copy`}
      unsaved={dirty}
      busy={action.isPending}
      error={action.error}
      onName={(to) => action.mutate(to)}
      onClose={onClose}
    />
  );
}

interface NamingProps {
  title: string;
  verb: string;
  text: string;
  first: string;
  unsaved: boolean;
  busy: boolean;
  error: Error | null;
  onName: (to: string) => void;
  onClose: () => void;
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

function Naming({ title, verb, text, first, unsaved, busy, error, onName, onClose }: NamingProps) {
  const t = useTexts(texts);
  const id = useId();
  const [to, setTo] = useState(first);
  const wrong = to !== "" && !NAME.test(to) ? t.nameRule : error?.message;
  const submit = () => {
    if (NAME.test(to) && to !== first && !busy) onName(to);
    else if (NAME.test(to) && verb === t.duplicate && !busy) onName(to);
  };
  return (
    <Dialog
      title={title}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{t.cancel}</Button>
          <Button tone="primary" busy={busy} disabled={!NAME.test(to)} onClick={submit}>{verb}</Button>
        </>
      }
    >
      <p className="muted">{text}</p>
      {unsaved && <p className="note warn"><Icon name="warn" /><span>{t.unsavedStays}</span></p>}
      <div className="field dialog-field">
        <label htmlFor={id}>{t.newName}</label>
        <input
          id={id}
          data-autofocus
          className="input mono"
          value={to}
          autoComplete="off"
          spellCheck={false}
          aria-invalid={wrong !== undefined || undefined}
          aria-describedby={wrong === undefined ? undefined : `${id}-e`}
          onChange={(event) => setTo(event.currentTarget.value)}
          onKeyDown={(event) => { if (event.key === "Enter") submit(); }}
        />
        {wrong !== undefined && <span className="err" id={`${id}-e`} role="alert"><Icon name="s-bad" /><span>{wrong}</span></span>}
      </div>
    </Dialog>
  );
}
