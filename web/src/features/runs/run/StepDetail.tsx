/** What a step got, gave and broke on, in place below its bar. */
import { useQuery } from "@tanstack/react-query";
import { useId, useState } from "react";

import { detailQuery, type StoryStep } from "~/features/runs/run/queries";
import { Source } from "~/features/runs/run/Source";
import { Value } from "~/features/runs/run/Value";
import { texts } from "~/features/runs/texts";
import { useTexts } from "~/lib/i18n";
import { duration } from "~/lib/time";
import { Button } from "~/ui/Button";
import { ErrorState, SkeletonRows } from "~/ui/States";
import { Status } from "~/ui/Status";

type Part = "error" | "output" | "input" | "tries";

export function StepDetail({ id, runId, step, onReplayFrom }: { id: string; runId: string; step: StoryStep; onReplayFrom?: () => void }) {
  const t = useTexts(texts);
  const base = useId();
  const parts: Part[] = [...(step.error ? ["error" as const] : []), "output", "input", ...(step.tries.length > 1 ? ["tries" as const] : [])];
  const [wanted, setPart] = useState<Part | null>(null);
  const part = wanted !== null && parts.includes(wanted) ? wanted : (parts[0] as Part);
  const names: Record<Part, string> = { error: t.error, output: t.output, input: t.input, tries: t.triesTab };
  const move = (by: number) => {
    const next = parts[(parts.indexOf(part) + by + parts.length) % parts.length] as Part;
    setPart(next);
    document.getElementById(`${base}-${next}`)?.focus();
  };
  return (
    <div className={step.status === "failed" ? "open bad" : "open"} id={id}>
      <div className="o-head">
        <div className="tabs" role="tablist" aria-label={t.stepLabel(step.index + 1, step.name)}>
          {parts.map((one) => (
            <button
              key={one} type="button" role="tab" id={`${base}-${one}`} aria-selected={one === part} aria-controls={`${base}-panel`} tabIndex={one === part ? 0 : -1}
              onClick={() => setPart(one)}
              onKeyDown={(event) => { if (event.key === "ArrowRight") move(1); else if (event.key === "ArrowLeft") move(-1); }}
            >
              {names[one]}{one === "tries" && <span className="count">{step.tries.length}</span>}
            </button>
          ))}
        </div>
        {onReplayFrom && <Button small icon="replay" onClick={onReplayFrom}>{t.replayFromHere}</Button>}
      </div>
      <div id={`${base}-panel`} role="tabpanel" aria-labelledby={`${base}-${part}`} className="o-body">
        {part === "error" && step.error ? <Source error={step.error} frames={step.frames} /> : part === "tries" ? <Tries step={step} /> : <InOut runId={runId} step={step} part={part === "input" ? "input" : "output"} />}
      </div>
    </div>
  );
}

function InOut({ runId, step, part }: { runId: string; step: StoryStep; part: "input" | "output" }) {
  const t = useTexts(texts);
  const detail = useQuery(detailQuery(runId));
  if (detail.isPending) return <SkeletonRows rows={3} height={24} />;
  if (detail.isError) return <ErrorState error={detail.error} onRetry={() => void detail.refetch()} />;
  const found = detail.data.steps.find((one) => one.index === step.index);
  return <Value value={found?.[part]} none={part === "input" ? t.noInput : step.status === "running" ? t.noOutputYet : t.noOutput} />;
}

function Tries({ step }: { step: StoryStep }) {
  const t = useTexts(texts);
  const texts_ = new Set(step.tries.filter((one) => one.error).map((one) => `${one.error?.type} ${one.error?.message}`));
  return (
    <>
      <table className="att" aria-label={t.triesTab}>
        <tbody>
          {step.tries.map((one) => (
            <tr key={one.number}>
              <th scope="row">{one.number}</th>
              <td><Status value={one.status} look="plain" /></td>
              <td className="num">{one.duration_ms === null ? "–" : duration(one.duration_ms)}</td>
              <td className="faint">{one.wait_ms === null ? "" : t.thenWaited(duration(one.wait_ms))}</td>
              <td className="att-e">{one.error && <><b>{one.error.type}</b> {one.error.message}</>}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {texts_.size === 1 && step.tries.filter((one) => one.error).length > 1 && <p className="help">{t.sameError}</p>}
    </>
  );
}
