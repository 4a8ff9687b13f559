/** The file says something else than when it was opened, and so do we: what changed there, and a choice. */
import { useState } from "react";

import { DiffView } from "~/features/builder/DiffView";
import { useForm } from "~/features/builder/form/context";
import { differences } from "~/features/builder/paths";
import type { Definition } from "~/features/builder/queries";
import { baseOf } from "~/features/builder/session";
import { lineDiff } from "~/features/builder/text/lineDiff";
import { texts } from "~/features/builder/texts";
import { writeValue } from "~/features/builder/values";
import { useTexts } from "~/lib/i18n";
import { Button } from "~/ui/Button";
import { Dialog } from "~/ui/Dialog";
import { Icon } from "~/ui/Icon";

const NAMED = 3;
const LONGEST = 40;

function brief(value: unknown): string {
  const text = value === undefined ? "–" : writeValue(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

export function ConflictBanner({ theirs }: { theirs: Definition }) {
  const t = useTexts(texts);
  const { session, seen } = useForm();
  const [open, setOpen] = useState(false);
  const { base } = seen;
  if (base === null) return null;
  const changed = differences(base.definition, theirs.definition);
  return (
    <div className="note warn ext" role="alert">
      <Icon name="warn" />
      <span className="grow">
        <b>{t.changedOnDisk(theirs.file)}</b>
        {changed.slice(0, NAMED).map(({ key, before, after }) => (
          <span key={key}>, <code>{key}</code> {brief(before)} → {brief(after)}</span>
        ))}
        {changed.length > NAMED && <span>, {t.andMore(changed.length - NAMED)}</span>}. {t.nothingLost}
      </span>
      <Button small onClick={() => setOpen(true)}>{t.showDiff}</Button>
      <Button small onClick={() => session.rebase(baseOf(theirs), theirs)}>{t.takeTheirs}</Button>
      <Button small onClick={() => session.rebase(baseOf(theirs))}>{t.keepMine}</Button>
      {open && (
        <Dialog title={t.changedOnDisk(theirs.file)} width={760} onClose={() => setOpen(false)}>
          <h3 className="diff-h">{t.openedToNow}</h3>
          <DiffView label={t.openedToNow} lines={lineDiff(base.text, theirs.toml)} />
          <h3 className="diff-h">{t.nowToMine}</h3>
          <DiffView label={t.nowToMine} lines={lineDiff(theirs.toml, seen.text)} />
        </Dialog>
      )}
    </div>
  );
}
