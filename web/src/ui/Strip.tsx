/** The last 60 due instants of a job as one picture and one stop of the Tab key; arrows move between instants. */
import { useState, type KeyboardEvent, type PointerEvent } from "react";

import { useTexts } from "~/lib/i18n";
import { hover } from "~/lib/time";
import { basePath, counted, HEIGHT, hit, SLOT, slotX, SLOTS, stripPaths, WIDTH, type Instant } from "~/ui/strip";
import { texts } from "~/ui/texts";

interface Props {
  job: string;
  zone?: string | null;
  instants: readonly Instant[];
  /** Enter or click: open the run. */
  onOpen?: (instant: Instant) => void;
  /** `w`: what became of it. */
  onWhy?: (instant: Instant) => void;
}

export function Strip({ job, zone, instants, onOpen, onWhy }: Props) {
  const t = useTexts(texts);
  const [active, setActive] = useState<number | null>(null);
  const shown = instants.slice(-SLOTS);
  const at = active === null ? undefined : shown[active];
  const words = (instant: Instant) => `${hover(new Date(instant.at), zone)}: ${t[instant.verdict]}${instant.count === undefined ? "" : ` (${t.together(instant.count)})`}`;
  const counts = [...counted(shown)].map(([verdict, count]) => `${count} ${t[verdict]}`).join(", ");

  const point = (event: PointerEvent<SVGSVGElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    setActive(hit(((event.clientX - box.left) / box.width) * WIDTH, shown.length));
  };
  const key = (event: KeyboardEvent) => {
    const end = shown.length - 1;
    const to = { ArrowLeft: (active ?? end + 1) - 1, ArrowRight: (active ?? -1) + 1, Home: 0, End: end }[event.key];
    if (to !== undefined) setActive(Math.max(0, Math.min(end, to)));
    else if (event.key === "Enter" && at) onOpen?.(at);
    else if (event.key === "w" && at && onWhy) onWhy(at);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  if (shown.length === 0) {
    return (
      <svg className="strip" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={t.noInstants(job)}>
        <path className="base" d={basePath(shown)} />
      </svg>
    );
  }
  return (
    <>
      <svg
        className="strip"
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="xMinYMid"
        role="img"
        tabIndex={0}
        aria-label={t.strip(job, shown.length, counts)}
        onPointerMove={point}
        onPointerLeave={() => setActive(null)}
        onBlur={() => setActive(null)}
        onKeyDown={key}
        onClick={() => at && onOpen?.(at)}
      >
        {at && <title>{words(at)}</title>}
        <path className="base" d={basePath(shown)} />
        {Object.entries(stripPaths(shown)).map(([kind, path]) => <path key={kind} className={kind} d={path} />)}
        {active !== null && <path className="strip-at" d={`M${slotX(active, shown.length) - 0.5} 0.5h${SLOT}v27h-${SLOT}z`} />}
      </svg>
      <span className="sr" role="status">{at ? words(at) : ""}</span>
    </>
  );
}
