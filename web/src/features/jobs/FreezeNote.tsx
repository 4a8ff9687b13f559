/** Above everything else while all schedules are held back: who, why, until when, and the way out. */
import { useQuery } from "@tanstack/react-query";

import type { JobActions } from "~/features/jobs/actions";
import { useMay } from "~/features/jobs/may";
import { freezeQuery } from "~/features/jobs/queries";
import { texts } from "~/features/jobs/texts";
import { useTexts } from "~/lib/i18n";
import { Button } from "~/ui/Button";
import { Icon } from "~/ui/Icon";
import { Time } from "~/ui/Time";

export function FreezeNote({ actions }: { actions: JobActions }) {
  const t = useTexts(texts);
  const { edit } = useMay();
  const { data } = useQuery(freezeQuery);
  if (data?.freeze == null) return null;
  const { by, reason, until, then } = data.freeze;
  return (
    <div className="note freeze-note" role="status">
      <Icon name="s-hold" />
      <span className="grow">
        <b>{t.frozen}</b> {until === null ? t.untilUnfrozen : <>{t.until} <Time at={until} look="absolute" />.</>} {t.afterwards(then)}
        <span className="muted"> {by.replace(/^user:/, "")}{reason && <>: {reason}</>}</span>
      </span>
      {edit && <Button small busy={actions.unfreeze.isPending} onClick={() => actions.unfreeze.mutate()}>{t.unfreeze}</Button>}
    </div>
  );
}
