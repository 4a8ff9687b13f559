/** Whether schedules are frozen, by whom, until when, and what becomes of what is held; freezing and ending it. */
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";

import { freezeQuery, useFreeze } from "~/api/freeze";
import { useRights } from "~/api/me";
import { useTexts } from "~/lib/i18n";
import { Button } from "~/ui/Button";
import { texts } from "~/ui/freezeTexts";
import { Icon } from "~/ui/Icon";
import { Time } from "~/ui/Time";
import { toast } from "~/ui/toasts";

const FreezeDialog = lazy(async () => ({ default: (await import("~/ui/FreezeDialog")).FreezeDialog }));
const UnfreezeDialog = lazy(async () => ({ default: (await import("~/ui/FreezeDialog")).UnfreezeDialog }));

export function FreezeLine() {
  const t = useTexts(texts);
  const { may } = useRights();
  const [open, setOpen] = useState(false);
  const { data } = useQuery(freezeQuery);
  const { freeze, unfreeze } = useFreeze({
    done: (frozen) => { setOpen(false); toast.ok(frozen ? t.done : t.ended); },
    failed: (error) => toast.failed(t.failed, error),
  });
  const now = data?.freeze ?? null;
  const mayEdit = may("settings:jobs");
  if (data === undefined || (now === null && !mayEdit)) return null;
  const held = now && { drop: t.thenDrop, latest: t.thenLatest, all: t.thenAll }[now.then];
  return (
    <div className={now ? "panel freeze-line frozen" : "freeze-line"}>
      {now && (
        <>
          <Icon name="s-hold" />
          <span className="grow">
            <b>{t.frozen}</b> {t.by(now.by)}, {now.until === null ? t.openEnd : <Time at={now.until} look="absolute" />}
            {now.reason !== null && `: ${now.reason}`}. {held}
          </span>
        </>
      )}
      {mayEdit && <Button small={now === null} icon="s-hold" onClick={() => setOpen(true)}>{now ? t.end : t.add}</Button>}
      <Suspense>
        {open && (now
          ? <UnfreezeDialog then={now.then} busy={unfreeze.isPending} onEnd={() => unfreeze.mutate()} onClose={() => setOpen(false)} />
          : <FreezeDialog busy={freeze.isPending} onFreeze={(order) => freeze.mutate(order)} onClose={() => setOpen(false)} />)}
      </Suspense>
    </div>
  );
}
