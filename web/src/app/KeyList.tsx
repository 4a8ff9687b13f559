/** What `?` shows: every key that is bound at this moment, so it is never out of date. */
import { texts } from "~/app/texts";
import { useTexts } from "~/lib/i18n";
import { bindings, setSingleKeys, singleKeys } from "~/lib/keys";
import { useStore } from "~/lib/store";
import { Dialog } from "~/ui/Dialog";
import { Toggle } from "~/ui/Toggle";

const MAC = navigator.platform.startsWith("Mac");

export default function KeyList({ onClose }: { onClose: () => void }) {
  const t = useTexts(texts);
  const bound = useStore(bindings);
  const on = useStore(singleKeys);
  const last = new Map(bound.map((one) => [one.keys, one.does]));
  return (
    <Dialog title={t.keys} onClose={onClose} width={620}>
      <dl className="key-list">
        {[...last].map(([keys, does]) => (
          <div key={keys}>
            <dt>{does}</dt>
            <dd>{keys.split(" ").map((key) => <kbd key={key}>{key === "Mod" ? (MAC ? "⌘" : "Ctrl") : key}</kbd>)}</dd>
          </div>
        ))}
      </dl>
      <div className="row">
        <Toggle label={t.singleKeys} checked={on} onChange={setSingleKeys} />
        <span>{t.singleKeys}. <span className="faint">{t.singleKeysHelp}</span></span>
      </div>
    </Dialog>
  );
}
