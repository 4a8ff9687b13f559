/** The fold of a step, or of one of its tries. */
import { texts } from "~/features/log/texts";
import type { HeaderRow } from "~/features/log/view";
import { useTexts } from "~/lib/i18n";
import { Icon } from "~/ui/Icon";
import { Status } from "~/ui/Status";
import { Duration } from "~/ui/Time";

interface Props { row: HeaderRow; active: boolean; onToggle: (key: string) => void }

export function Header({ row, active, onToggle }: Props) {
  const t = useTexts(texts);
  const { block, step, lines, errors, warnings } = row;
  const said = [t.lines(lines), errors > 0 && t.errors(errors), errors === 0 && warnings > 0 && t.warnings(warnings)].filter(Boolean);
  return (
    <button
      type="button"
      tabIndex={-1}
      className={`${block.kind === "step" ? "lf" : "lgap"}${active ? " cur" : ""}`}
      data-row={row.row}
      data-fold={block.key}
      aria-expanded={block.open}
      onMouseDown={(event) => event.preventDefault()}
      onClick={() => onToggle(block.key)}
    >
      <Icon name={block.open ? "down" : "right"} small />
      {block.kind === "step" ? (
        <>
          {step !== undefined && <Status value={step.status} look="plain" />}
          {step !== undefined && <span className="ix">{step.index + 1}</span>}
          <b className="trunc">{block.step}</b>
        </>
      ) : (
        block.try !== null && <span>{t.attempt(block.try.attempt, block.try.of)}</span>
      )}
      <span className="faint trunc">{said.join(", ")}</span>
      {block.kind === "step" && step !== undefined && (
        <span className="faint end">
          <Duration ms={step.duration_ms} since={step.status === "running" ? step.started_at : null} />
        </span>
      )}
    </button>
  );
}
