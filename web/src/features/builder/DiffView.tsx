/** What differs between two texts: a sign and a colour for each line, read as "added" and "removed". */
import type { DiffLine } from "~/features/builder/text/lineDiff";
import { texts } from "~/features/builder/texts";
import { useTexts } from "~/lib/i18n";

const SIGN = { same: " ", added: "+", removed: "−", gap: "⋯" } as const;

export function DiffView({ label, lines }: { label: string; lines: readonly DiffLine[] }) {
  const t = useTexts(texts);
  if (lines.length === 0) return <p className="muted">{t.noDifference}</p>;
  return (
    <div className="diff" role="group" aria-label={label} tabIndex={0}>
      {lines.map((line, index) => (
        <div key={index} className={`dl ${line.kind}`}>
          <span aria-hidden="true">{SIGN[line.kind]}</span>
          {(line.kind === "added" || line.kind === "removed") && <span className="sr">{t[line.kind]}: </span>}
          <code>{line.text}</code>
        </div>
      ))}
    </div>
  );
}
