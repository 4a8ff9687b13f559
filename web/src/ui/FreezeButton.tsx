/** The button that freezes all schedules, or ends the freeze, with the question before it. */
import { lazy, Suspense, useState } from "react";

import { useTexts } from "~/lib/i18n";
import { Button } from "~/ui/Button";
import type { Order, Then } from "~/ui/FreezeDialog";
import { texts } from "~/ui/freezeTexts";

const FreezeDialog = lazy(async () => ({ default: (await import("~/ui/FreezeDialog")).FreezeDialog }));
const UnfreezeDialog = lazy(async () => ({ default: (await import("~/ui/FreezeDialog")).UnfreezeDialog }));

interface Props {
  /** What the freeze in force does at its end; null: there is none. */
  then: Then | null;
  busy: boolean;
  /** `done` closes the question. */
  onFreeze: (order: Order, done: () => void) => void;
  onEnd: (done: () => void) => void;
}

export function FreezeButton({ then, busy, onFreeze, onEnd }: Props) {
  const t = useTexts(texts);
  const [open, setOpen] = useState(false);
  const close = () => setOpen(false);
  return (
    <>
      <Button icon="s-hold" onClick={() => setOpen(true)}>{then === null ? t.add : t.end}</Button>
      <Suspense>
        {open && (then === null
          ? <FreezeDialog busy={busy} onFreeze={(order) => onFreeze(order, close)} onClose={close} />
          : <UnfreezeDialog then={then} busy={busy} onEnd={() => onEnd(close)} onClose={close} />)}
      </Suspense>
    </>
  );
}
