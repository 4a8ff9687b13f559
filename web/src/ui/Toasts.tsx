/** The corner where toasts stand. */
import { useTexts } from "~/lib/i18n";
import { useStore } from "~/lib/store";
import { Button } from "~/ui/Button";
import { Icon } from "~/ui/Icon";
import { texts } from "~/ui/texts";
import { dismiss, toasts } from "~/ui/toasts";

const ICONS = { ok: "s-ok", bad: "s-bad", run: "s-run" } as const;

export function Toasts() {
  const t = useTexts(texts);
  const shown = useStore(toasts);
  return (
    <div className="toasts" role="region" aria-live="polite" aria-label="Toasts">
      {shown.map((one) => (
        <div key={one.id} className="toast">
          <span className={`st st-${one.tone}`}><Icon name={ICONS[one.tone]} spin={one.tone === "run"} /></span>
          <div className="grow">
            <b>{one.title}</b>
            {one.text && <p>{one.text}</p>}
          </div>
          {one.action && (
            <Button small tone="quiet" onClick={() => { one.action?.run(); dismiss(one.id); }}>{one.action.label}</Button>
          )}
          <Button small tone="quiet" icon="x" aria-label={t.dismiss} onClick={() => dismiss(one.id)} />
        </div>
      ))}
    </div>
  );
}
