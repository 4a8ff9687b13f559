/** Asks for a freeze of all schedules: until when, why, and what becomes of what falls due meanwhile; and for its end. */
import { useId, useState } from "react";

import { useTexts } from "~/lib/i18n";
import { Button } from "~/ui/Button";
import { Confirm, Dialog } from "~/ui/Dialog";
import { texts } from "~/ui/freezeTexts";
import { Icon } from "~/ui/Icon";
import "~/ui/freeze.css";

export type Then = "drop" | "latest" | "all";
export interface Order { until: string | null; reason: string | null; then: Then }

interface Props {
  busy: boolean;
  onFreeze: (order: Order) => void;
  onClose: () => void;
}

export function FreezeDialog({ busy, onFreeze, onClose }: Props) {
  const t = useTexts(texts);
  const id = useId();
  const [until, setUntil] = useState("");
  const [reason, setReason] = useState("");
  const [then, setThen] = useState<Then>("drop");
  const [isPast, setIsPast] = useState(false);
  const send = () => {
    const over = until !== "" && new Date(until).getTime() <= Date.now();
    setIsPast(over);
    if (!over) onFreeze({ until: until === "" ? null : new Date(until).toISOString(), reason: reason.trim() || null, then });
  };
  const choices: readonly (readonly [Then, string, string])[] = [["drop", t.drop, t.dropHelp], ["latest", t.latest, t.latestHelp], ["all", t.all, t.allHelp]];
  return (
    <Dialog title={t.title} onClose={onClose} actions={<Button tone="primary" icon="s-hold" busy={busy} onClick={send}>{t.verb}</Button>}>
      <form className="freeze-form" onSubmit={(event) => { event.preventDefault(); send(); }}>
        <div className="field">
          <label htmlFor={`${id}u`}>{t.until}</label>
          <input id={`${id}u`} className="input" type="datetime-local" value={until} data-autofocus
            aria-invalid={isPast} aria-describedby={`${id}h`} onChange={(event) => setUntil(event.currentTarget.value)} />
          <span id={`${id}h`} className={isPast ? "err" : "help"}>{isPast ? <><Icon name="s-bad" />{t.past}</> : t.untilHelp}</span>
        </div>
        <div className="field">
          <label htmlFor={`${id}r`}>{t.reason}</label>
          <input id={`${id}r`} className="input" maxLength={500} placeholder={t.reasonHint} value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
        </div>
        <fieldset>
          <legend className="lbl">{t.what}</legend>
          {choices.map(([value, name, help]) => (
            <label key={value} className="choice">
              <input type="radio" name={`${id}t`} checked={then === value} onChange={() => setThen(value)} />
              <span>{name}<small>{help}</small></span>
            </label>
          ))}
        </fieldset>
        <p className="help">{t.help}</p>
      </form>
    </Dialog>
  );
}

export function UnfreezeDialog({ then, busy, onEnd, onClose }: { then: Then; busy: boolean; onEnd: () => void; onClose: () => void }) {
  const t = useTexts(texts);
  const held = { drop: t.thenDrop, latest: t.thenLatest, all: t.thenAll }[then];
  return (
    <Confirm title={t.endTitle} verb={t.endVerb} keep={t.keep} busy={busy} onConfirm={onEnd} onClose={onClose}>
      {t.nextFires} {held}
    </Confirm>
  );
}
