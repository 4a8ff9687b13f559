/** The week on a phone: seven days to choose from, and the chosen one as a list by time. */
import { useState } from "react";

import { counted, dayName, hourMinute, statusOf } from "~/features/schedule/names";
import { worst, type Calendar, type Cell, type Lane } from "~/features/schedule/lanes";
import type { Day, Range } from "~/features/schedule/range";
import { texts } from "~/features/schedule/texts";
import { useHeading, Why, WhyHead } from "~/features/schedule/Why";
import { locale, useTexts } from "~/lib/i18n";
import { duration } from "~/lib/time";
import { Icon } from "~/ui/Icon";
import { Dialog } from "~/ui/Dialog";
import { Status } from "~/ui/Status";

interface Props {
  range: Range;
  lanes: readonly Lane[];
  calendar: Calendar;
  date: string;
  onDate: (date: string) => void;
}
interface Item { lane: Lane; cell: Cell }

/** More cells than this in a day, and the job is one line of counts. */
const OFTEN = 6;
const ICONS = { missed: "s-miss", failed: "s-bad", "partial-success": "s-part", aborted: "s-abort", "caught up": "s-catch", late: "s-late" } as const;
const BAD: ReadonlySet<string> = new Set(["missed", "failed"]);

const within = (day: Day, cells: readonly Cell[]) => cells.filter((cell) => cell.at >= day.begin && cell.at < day.end);

export function Agenda({ range, lanes, calendar, date, onDate }: Props) {
  const t = useTexts(texts);
  const [asked, setAsked] = useState<Item | null>(null);
  const day = range.days.find((one) => one.date === date) ?? range.days[0];
  if (day === undefined) return null;
  const often: { lane: Lane; cells: readonly Cell[] }[] = [];
  const items: Item[] = [];
  for (const lane of lanes) {
    const cells = within(day, lane.cells);
    if (cells.length > OFTEN) often.push({ lane, cells });
    else items.push(...cells.map((cell) => ({ lane, cell })));
  }
  items.sort((one, other) => one.cell.at - other.cell.at);
  const crowd = calendar.crowded.filter((one) => Date.parse(one.at) >= day.begin && Date.parse(one.at) < day.end)
    .sort((one, other) => other.fires - one.fires)[0];
  return (
    <section aria-label={t.days}>
      <div className="dsw" role="group" aria-label={t.days}>
        {range.days.map((one) => <DayButton key={one.date} day={one} lanes={lanes} pressed={one === day} onPick={() => onDate(one.date)} />)}
      </div>
      {crowd && (
        <div className="note warn day-note">
          <Icon name="collide" /><span>{t.atOnceAt(crowd.fires, hourMinute(Date.parse(crowd.at)))}</span>
        </div>
      )}
      <div className="panel">
        {often.length > 0 && (
          <ul className="rhy">
            {often.map(({ lane, cells }) => <Often key={lane.job} lane={lane} cells={cells} onAsk={(cell) => setAsked({ lane, cell })} />)}
          </ul>
        )}
        {items.length === 0 && often.length === 0 && <p className="panel-body muted">{t.nothingThisDay}</p>}
        <ol className="ag">
          {items.map(({ lane, cell }) => (
            <li key={`${lane.job} ${cell.at}`}>
              <button type="button" onClick={() => setAsked({ lane, cell })}>
                <time dateTime={new Date(cell.at).toISOString()}>{hourMinute(cell.at)}</time>
                <span className="ag-job"><b>{lane.job}</b><small>{cell.durationMs === null ? lane.text : duration(cell.durationMs)}</small></span>
                <Status value={statusOf(cell.outcome)} look={cell.outcome === "planned" ? "plain" : "auto"} />
              </button>
            </li>
          ))}
        </ol>
      </div>
      {asked && <Explained item={asked} onClose={() => setAsked(null)} />}
    </section>
  );
}

function DayButton({ day, lanes, pressed, onPick }: { day: Day; lanes: readonly Lane[]; pressed: boolean; onPick: () => void }) {
  const cells = lanes.flatMap((lane) => within(day, lane.cells));
  const mark = worst(cells);
  const count = cells.reduce((sum, cell) => sum + (cell.outcome === mark ? cell.ofThat : 0), 0);
  const at = new Date(day.begin);
  return (
    <button type="button" aria-pressed={pressed} aria-label={dayName(day.begin, "long")} onClick={onPick}>
      <small>{at.toLocaleDateString(locale(), { weekday: "short" })}</small>
      <b>{at.getDate()}</b>
      {mark !== null && mark in ICONS && (
        <span className={`st st-${BAD.has(mark) ? "bad" : "warn"}`}><Icon name={ICONS[mark as keyof typeof ICONS]} small />{count}</span>
      )}
    </button>
  );
}

function Often({ lane, cells, onAsk }: { lane: Lane; cells: readonly Cell[]; onAsk: (cell: Cell) => void }) {
  const t = useTexts(texts);
  const mark = worst(cells);
  const all = cells.reduce((sum, cell) => sum + cell.count, 0);
  const chosen = cells.find((cell) => cell.outcome === (mark ?? cells.at(-1)?.outcome));
  const count = counted(cells).find(([outcome]) => outcome === mark)?.[1];
  return (
    <li>
      <button type="button" onClick={() => chosen && onAsk(chosen)}>
        <span><b>{lane.job}</b><small>{lane.text}</small></span>
        {mark === null ? <span className="faint">{t.often(all)}</span> : <span className="row"><span className="faint">{count} ×</span><Status value={statusOf(mark)} /></span>}
      </button>
    </li>
  );
}

function Explained({ item, onClose }: { item: Item; onClose: () => void }) {
  const heading = useHeading(item.cell);
  return (
    <Dialog title={<WhyHead heading={heading} cell={item.cell} />} onClose={onClose}>
      <div className="why"><Why lane={item.lane} cell={item.cell} onRan={onClose} /></div>
    </Dialog>
  );
}
