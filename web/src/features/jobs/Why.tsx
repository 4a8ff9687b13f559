/** What became of one instant, beside its mark in the strip. Escape or a click elsewhere closes it. */
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { Link } from "react-router";

import type { Over } from "~/features/jobs/over";
import { runPlace } from "~/features/jobs/places";
import { whyQuery } from "~/features/jobs/queries";
import { texts } from "~/features/jobs/texts";
import { useTexts } from "~/lib/i18n";
import { hover } from "~/lib/time";
import { SLOTS } from "~/ui/strip";
import { Status } from "~/ui/Status";

const WIDTH = 320;
const MARGIN = 16;
const VERDICTS: Readonly<Record<string, string>> = {
  ran: "succeeded", "ran late": "ran-late", "caught up": "caught-up", skipped: "skipped", missed: "missed", paused: "held", future: "scheduled",
};

export default function Why({ job, zone, at, slot, onClose }: Extract<Over, { what: "why" }> & { onClose: () => void }) {
  const t = useTexts(texts);
  const { data, error } = useQuery(whyQuery(job, at));
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const shown = box.current;
    const strip = document.querySelector(`[data-strip="${CSS.escape(job)}"]`)?.getBoundingClientRect();
    if (shown === null) return;
    const left = strip === undefined ? MARGIN : strip.left + (strip.width * (slot + 0.5)) / SLOTS - WIDTH / 2;
    shown.style.left = `${Math.max(MARGIN, Math.min(window.innerWidth - WIDTH - MARGIN, left))}px`;
    shown.showPopover();
    const below = strip === undefined ? MARGIN : strip.bottom + 6;
    const fits = below + shown.offsetHeight < window.innerHeight - MARGIN;
    shown.style.top = `${fits || strip === undefined ? below : strip.top - shown.offsetHeight - 6}px`;
    shown.focus();
  }, [job, slot]);
  const ran = data?.verdict === "ran" && data.text.includes("failed");
  return (
    <div
      ref={box}
      popover="auto"
      role="dialog"
      tabIndex={-1}
      aria-label={t.whyOf(job)}
      className="pop job-why"
      onToggle={(event) => event.newState === "closed" && onClose()}
    >
      <b>{job}</b>
      {data === undefined ? (
        <p className="muted" role="status">{error === null ? t.asking : error.message}</p>
      ) : (
        <>
          <div className="sub pre">{hover(new Date(data.at), zone)}</div>
          <Status value={ran ? "failed" : (VERDICTS[data.verdict] ?? "skipped")} look="plain">{data.verdict}</Status>
          <p>{data.text}</p>
          {data.run_id !== null && <Link to={runPlace(data.run_id)}>{t.openRun(data.run_id)}</Link>}
        </>
      )}
    </div>
  );
}
