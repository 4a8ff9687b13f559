/** The picture: days on top, bands across, a bar per hour for how much is due, and a lane per job. */
import { useRef, useState } from "react";

import { Bands, Labels } from "~/features/schedule/Bands";
import { Lane } from "~/features/schedule/Lane";
import { perHour, type Calendar, type Foreseen, type Lane as LaneOf } from "~/features/schedule/lanes";
import { Legend } from "~/features/schedule/Legend";
import { dayName } from "~/features/schedule/names";
import { PerHour } from "~/features/schedule/PerHour";
import { isIn, place, ticks, type Range } from "~/features/schedule/range";
import { texts } from "~/features/schedule/texts";
import { WhyPop, type Asked } from "~/features/schedule/Why";
import { useTexts } from "~/lib/i18n";
import { useKeys } from "~/lib/keys";
import { useNow } from "~/lib/now";

interface Props {
  range: Range;
  calendar: Calendar;
  lanes: readonly LaneOf[];
  foreseen: Foreseen | undefined;
}

const percent = (share: number) => `${(share * 100).toFixed(3)}%`;
const HALF_MINUTE = 30_000;

export function LanesPanel({ range, calendar, lanes, foreseen }: Props) {
  const t = useTexts(texts);
  const list = useRef<HTMLOListElement>(null);
  const [asked, setAsked] = useState<Asked | null>(null);
  const now = useNow((at) => Math.floor(at.getTime() / HALF_MINUTE) * HALF_MINUTE);

  const pictures = () => [...(list.current?.querySelectorAll<SVGElement>("svg[tabindex]") ?? [])];
  const focus = (by: number) => {
    const all = pictures();
    const at = all.findIndex((one) => one === document.activeElement);
    all[Math.max(0, Math.min(all.length - 1, at + by))]?.focus();
  };
  useKeys([
    { keys: "j", does: t.nextLane, run: () => focus(1) },
    { keys: "k", does: t.previousLane, run: () => focus(-1) },
  ]);
  const close = () => {
    const back = asked?.lane.job;
    setAsked(null);
    if (back !== undefined) pictures().find((one) => one.dataset.job === back)?.focus();
  };
  return (
    <section className="panel week" aria-label={t.label}>
      <div className="hd">
        <div className="lh faint">{t.job}</div>
        <div className="days">
          {range.days.map((day) => (
            <div key={day.date} style={{ left: percent(place(range, day.begin)), width: percent(place(range, day.end) - place(range, day.begin)) }}
              aria-current={now >= day.begin && now < day.end ? "date" : undefined}>
              <b>{dayName(day.begin)}</b>
              {day.hours !== 24 && <span>{t.hoursDay(day.hours)}</span>}
            </div>
          ))}
          {ticks(range).map((tick) => <i key={tick.at} style={{ left: percent(place(range, tick.at)) }}>{tick.text}</i>)}
        </div>
      </div>
      <div className="bl"><div className="lh" /><div className="t"><Labels range={range} calendar={calendar} now={now} /></div></div>
      <PerHour range={range} counts={perHour(range, lanes, foreseen, now)} crowded={calendar.crowded} cut={foreseen?.truncated ?? false} />
      <div className="lanes">
        <div className="bands" aria-hidden="true">
          {range.days.slice(1).map((day) => <i key={day.date} style={{ left: percent(place(range, day.begin)) }} />)}
          <Bands range={range} calendar={calendar} now={now} />
          {isIn(range, now) && <div className="bd now" style={{ left: percent(place(range, now)) }} />}
        </div>
        <ol ref={list}>
          {lanes.map((lane) => (
            <Lane key={lane.job} range={range} lane={lane} pauses={calendar.pauses.filter((pause) => pause.job === lane.job)}
              asked={asked?.lane.job === lane.job ? asked.cell.at : null}
              onWhy={(cell, at) => setAsked({ lane, cell, ...at })} />
          ))}
        </ol>
        {asked && <WhyPop key={`${asked.lane.job} ${asked.cell.at}`} asked={asked} onClose={close} />}
      </div>
      <Legend />
    </section>
  );
}
