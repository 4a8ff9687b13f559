/** Whether schedules are frozen, by whom, until when, and what becomes of what is held; freezing and ending it. */
import { useQuery } from "@tanstack/react-query";

import { freezeQuery, useFreeze } from "~/api/freeze";
import { useRights } from "~/api/me";
import { useTexts } from "~/lib/i18n";
import { FreezeButton } from "~/ui/FreezeButton";
import { texts } from "~/ui/freezeTexts";
import { Icon } from "~/ui/Icon";
import { Time } from "~/ui/Time";
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

/** Stands below the page's head while schedules are frozen. */
export function FreezeLine() {
  const t = useTexts(texts);
  const { data } = useQuery(freezeQuery);
  const now = data?.freeze ?? null;
  if (now === null) return null;
  const held = { drop: t.thenDropped, latest: t.thenRunsLatest, all: t.thenRunsAll }[now.then];
  return (
    <div className="panel freeze-line" role="status">
      <Icon name="s-hold" />
      <span className="grow">
        <b>{t.frozen}</b> {t.by(now.by)}, {now.until === null ? t.openEnd : <>{t.untilWord} <Time at={now.until} look="absolute" /></>}
        {now.reason !== null && `: ${now.reason}`}. {held}
      </span>
    </div>
  );
}
