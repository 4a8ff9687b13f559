/** Freezes all schedules from this page, or ends the freeze; left out for who may not. */
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";

import { freezeQuery, useFreeze } from "~/api/freeze";
import { useRights } from "~/api/me";
import { useTexts } from "~/lib/i18n";
import { Button } from "~/ui/Button";
import { texts } from "~/ui/freezeTexts";
import { toast } from "~/ui/toasts";

const FreezeDialog = lazy(async () => ({ default: (await import("~/ui/FreezeDialog")).FreezeDialog }));
const UnfreezeDialog = lazy(async () => ({ default: (await import("~/ui/FreezeDialog")).UnfreezeDialog }));

export function FreezeButton() {
  const t = useTexts(texts);
  const { may } = useRights();
  const [open, setOpen] = useState(false);
  const { data } = useQuery(freezeQuery);
  const { freeze, unfreeze } = useFreeze({
    done: (frozen) => { setOpen(false); toast.ok(frozen ? t.done : t.ended); },
    failed: (error) => toast.failed(t.failed, error),
  });
  if (!may("settings:jobs") || data === undefined) return null;
  return (
    <>
      <Button icon="s-hold" onClick={() => setOpen(true)}>{data.frozen ? t.end : t.add}</Button>
      <Suspense>
        {open && (data.freeze !== null
          ? <UnfreezeDialog then={data.freeze.then} busy={unfreeze.isPending} onEnd={() => unfreeze.mutate()} onClose={() => setOpen(false)} />
          : <FreezeDialog busy={freeze.isPending} onFreeze={(order) => freeze.mutate(order)} onClose={() => setOpen(false)} />)}
      </Suspense>
    </>
  );
}
