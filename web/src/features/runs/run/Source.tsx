/** Why a step failed: the words, the plugin's own lines where it broke, the traceback to unfold and to copy. */
import { useState } from "react";

import type { StoryStep } from "~/features/runs/run/queries";
import { texts } from "~/features/runs/texts";
import { useTexts } from "~/lib/i18n";
import { CopyButton } from "~/ui/CopyButton";
import { Icon } from "~/ui/Icon";

export function Source({ error, frames }: { error: NonNullable<StoryStep["error"]>; frames: StoryStep["frames"] }) {
  const t = useTexts(texts);
  const [whole, setWhole] = useState(frames.length === 0);
  const [outer, setOuter] = useState(false);
  const { traceback } = error;
  // The innermost place first: that is where one looks.
  const places = frames.toReversed();
  return (
    <>
      <p className="errline"><b>{error.type}</b> <span>{error.message}</span></p>
      {places.slice(0, outer ? undefined : 1).map((frame, index) => (
        <div key={`${frame.file}:${frame.line}:${index}`} className="src" role="group" aria-label={t.sourceOf(frame.file, frame.line)}>
          <div className="src-h">
            <Icon name="code" small />
            <code>{frame.file}:{frame.line}</code>
            <span className="faint">{t.inFunction(frame.function)}</span>
            {frame.changed === true && <span className="st st-warn"><Icon name="warn" />{t.fileChanged}</span>}
            {index === 0 && traceback !== null && <span className="end"><CopyButton small tone="quiet" text={traceback}>{t.copyTraceback}</CopyButton></span>}
          </div>
          {frame.lines.length > 0 && (
            <pre tabIndex={0} aria-label={t.sourceOf(frame.file, frame.line)}>
              {trimmed(frame.lines).map((line) => (
                <span key={line.number} className={line.number === frame.line ? "l hit" : "l"}><i>{line.number}</i>{line.text || " "}{"\n"}</span>
              ))}
            </pre>
          )}
        </div>
      ))}
      {traceback !== null && (
        <div className="src">
          {places.length > 1 && (
            <button type="button" className="more" aria-expanded={outer} onClick={() => setOuter(!outer)}>
              <Icon name={outer ? "down" : "right"} small />{t.outerFrames(places.length - 1)}
            </button>
          )}
          <button type="button" className="more" aria-expanded={whole} onClick={() => setWhole(!whole)}>
            <Icon name={whole ? "down" : "right"} small />{t.wholeTraceback}
          </button>
          {whole && <pre tabIndex={0} className="tb" aria-label={t.wholeTraceback}>{traceback}</pre>}
        </div>
      )}
    </>
  );
}

/** Without the blank lines at both ends. */
function trimmed(lines: StoryStep["frames"][number]["lines"]) {
  const told = lines.map((line) => line.text.trim() !== "");
  return lines.slice(Math.max(0, told.indexOf(true)), told.lastIndexOf(true) + 1);
}
