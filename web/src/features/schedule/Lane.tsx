/** One job's instants as one picture and one stop of the Tab key; arrows move between instants, `w` or a click explains. */
import { memo, useState, type KeyboardEvent, type MouseEvent } from "react";
import { Link } from "react-router";

import type { Calendar, Cell, Lane as LaneOf } from "~/features/schedule/lanes";
import { barWidth, cellX, HEIGHT, hit, lanePaths, WIDTH } from "~/features/schedule/marks";
import { counted, statusOf } from "~/features/schedule/names";
import { place, type Range } from "~/features/schedule/range";
import { texts } from "~/features/schedule/texts";
import { useTexts } from "~/lib/i18n";
import { hover } from "~/lib/time";
import { texts as words } from "~/ui/texts";

interface Props {
  range: Range;
  lane: LaneOf;
  pauses: Calendar["pauses"];
  /** The instant that is being explained. */
  asked: number | null;
  /** Where the explanation stands: the bar's place from the left, 0 to 1, and the lane's top. */
  onWhy: (cell: Cell, at: { left: number; top: number }) => void;
}

function LaneRow({ range, lane, pauses, asked, onWhy }: Props) {
  const t = useTexts(texts);
  const w = useTexts(words);
  const [active, setActive] = useState<number | null>(null);
  const { cells } = lane;
  const word = (cell: Cell) => w[statusOf(cell.outcome) as "missed"];
  const said = (cell: Cell) => {
    const what = cell.count > 1 && !cell.several ? t.of(cell.ofThat, cell.count, word(cell)) : word(cell);
    return `${hover(new Date(cell.at), lane.timezone)}: ${what}`;
  };
  const counts = counted(cells).map(([outcome, count]) => `${count} ${w[statusOf(outcome) as "missed"]}`).join(", ");
  const marked = active ?? (asked === null ? -1 : cells.findIndex((cell) => cell.at === asked));
  const shown = cells[marked];

  const explain = (svg: SVGSVGElement, index: number) => {
    const cell = cells[index];
    const row = svg.closest("li");
    if (cell !== undefined && row !== null) onWhy(cell, { left: cellX(range, cell) / WIDTH, top: row.offsetTop + row.offsetHeight });
  };
  const under = (event: MouseEvent<SVGSVGElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    return hit(range, cells, (event.clientX - box.left) / box.width);
  };
  const key = (event: KeyboardEvent<SVGSVGElement>) => {
    const end = cells.length - 1;
    const to = { ArrowLeft: (active ?? end + 1) - 1, ArrowRight: (active ?? -1) + 1, Home: 0, End: end }[event.key];
    if (to !== undefined) setActive(Math.max(0, Math.min(end, to)));
    else if ((event.key === "Enter" || event.key === "w") && active !== null) explain(event.currentTarget, active);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const width = barWidth(range) + 6;
  return (
    <li>
      <div className="lh">
        <Link to={`/nomaflow/jobs/${lane.job}`} title={lane.job}>{lane.job}</Link>
        <small title={lane.text}>{lane.text}</small>
      </div>
      <div className="t">
        {pauses.map((pause) => {
          const left = place(range, Date.parse(pause.since));
          const right = pause.until === null ? 1 : place(range, Date.parse(pause.until));
          return <i key={pause.since} className="paused" title={pause.text} style={{ left: `${left * 100}%`, width: `${(right - left) * 100}%` }} />;
        })}
        <svg
          viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
          preserveAspectRatio="none"
          role="img"
          tabIndex={0}
          data-job={lane.job}
          aria-label={t.lane(lane.job, lane.text, counts || t.none)}
          className={active === null ? undefined : "on"}
          onPointerMove={(event) => setActive(under(event))}
          onPointerLeave={() => setActive(null)}
          onBlur={() => setActive(null)}
          onKeyDown={key}
          onClick={(event) => {
            const index = under(event);
            if (index !== null) explain(event.currentTarget, index);
          }}
        >
          {shown && <title>{said(shown)}</title>}
          {Object.entries(lanePaths(range, cells)).map(([kind, path]) => <path key={kind} className={kind} d={path} />)}
          {shown && <rect className="at" x={cellX(range, shown) - 3} y={0.5} width={width} height={HEIGHT - 1} rx={2} />}
        </svg>
        <span className="sr" role="status">{shown ? said(shown) : ""}</span>
      </div>
    </li>
  );
}

/** A page with hundreds of lanes draws again only those that changed. */
export const Lane = memo(LaneRow, (before, after) =>
  before.range === after.range && before.lane === after.lane && before.asked === after.asked &&
  before.pauses.length === after.pauses.length && before.pauses.every((pause, index) => pause === after.pauses[index]));
