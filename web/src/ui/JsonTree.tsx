/** JSON as a tree to fold: strings as they are, long lists in pages, nothing interpreted. */
import { useState } from "react";

import { useTexts } from "~/lib/i18n";
import { Icon } from "~/ui/Icon";
import { texts } from "~/ui/texts";

const PAGE = 50;
const OPEN_LEVELS = 2;

function Leaf({ value }: { value: unknown }) {
  const kind = value === null ? "null" : typeof value;
  return <code className={`json-${kind}`}>{kind === "string" ? JSON.stringify(value) : String(value)}</code>;
}

export function JsonTree({ value, name, level = 0 }: { value: unknown; name?: string; level?: number }) {
  const t = useTexts(texts);
  const [open, setOpen] = useState(level < OPEN_LEVELS);
  const [shown, setShown] = useState(PAGE);
  const label = name === undefined ? null : <code className="json-key">{name}: </code>;
  if (typeof value !== "object" || value === null) return <div className="json">{label}<Leaf value={value} /></div>;
  const list = Array.isArray(value);
  const entries = Object.entries(value);
  const brief = list ? `[${entries.length}]` : `{${entries.length}}`;
  if (entries.length === 0) return <div className="json">{label}<code>{list ? "[]" : "{}"}</code></div>;
  return (
    <div className="json">
      <button type="button" className="json-fold" aria-expanded={open} onClick={() => setOpen(!open)}>
        <Icon name={open ? "down" : "right"} small />
        <span className="sr">{open ? t.collapse : t.expand}</span>
        {label}
        <code className="faint">{brief}</code>
      </button>
      {open && (
        <div className="json-in">
          {entries.slice(0, shown).map(([key, item]) => <JsonTree key={key} name={key} value={item} level={level + 1} />)}
          {entries.length > shown && (
            <button type="button" className="json-fold" onClick={() => setShown(shown + PAGE)}>{t.more(entries.length - shown)}</button>
          )}
        </div>
      )}
    </div>
  );
}
