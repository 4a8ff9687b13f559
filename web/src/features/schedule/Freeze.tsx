/** Freezing all schedules from the calendar; left out for who may not. */
import { useQuery } from "@tanstack/react-query";

import { freezeQuery, useFreeze } from "~/api/freeze";
import { useRights } from "~/api/me";
import { useTexts } from "~/lib/i18n";
import { FreezeButton } from "~/ui/FreezeButton";
import { texts } from "~/ui/freezeTexts";
import { toast } from "~/ui/toasts";

export function Freeze() {
  const t = useTexts(texts);
  const { may } = useRights();
  const { data } = useQuery(freezeQuery);
  const { freeze, unfreeze } = useFreeze({
    done: (frozen) => toast.ok(frozen ? t.done : t.ended),
    failed: (error) => toast.failed(t.failed, error),
  });
  if (data === undefined || !may("settings:jobs")) return null;
  return (
    <FreezeButton then={data.freeze?.then ?? null} busy={freeze.isPending || unfreeze.isPending}
      onFreeze={(order, done) => freeze.mutate(order, { onSuccess: done })} onEnd={(done) => unfreeze.mutate(undefined, { onSuccess: done })} />
  );
}
