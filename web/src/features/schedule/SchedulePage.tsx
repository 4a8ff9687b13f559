/** Past verdicts and future fires of every job in one picture: which instants ran, which will, and what is in the way. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { Agenda } from "~/features/schedule/Agenda";
import { Freeze } from "~/features/schedule/Freeze";
import { calendarQuery, foreseenQuery, shownLanes } from "~/features/schedule/lanes";
import { LanesPanel } from "~/features/schedule/LanesPanel";
import { rangeName } from "~/features/schedule/names";
import { Notes } from "~/features/schedule/Notes";
import { ScheduleList } from "~/features/schedule/ScheduleList";
import { Summary } from "~/features/schedule/Summary";
import { texts } from "~/features/schedule/texts";
import { useRange } from "~/features/schedule/useRange";
import type { View } from "~/features/schedule/range";
import { parse, useFilter } from "~/lib/filter";
import { useTexts } from "~/lib/i18n";
import { useKeys } from "~/lib/keys";
import { useLive } from "~/lib/useLive";
import { useSoon } from "~/lib/useSoon";
import { useWide } from "~/lib/useWide";
import { Button } from "~/ui/Button";
import { FilterBar } from "~/ui/FilterBar";
import { PageHead } from "~/ui/PageHead";
import { EmptyState, ErrorState, FilteredState, SkeletonRows } from "~/ui/States";
import "~/features/schedule/schedule.css";

const AGAIN_MS = 3000;

export default function SchedulePage() {
  const t = useTexts(texts);
  const wide = useWide();
  const { range, view, date, choose, go } = useRange(wide);
  const [filter, setFilter] = useFilter();
  const queries = useQueryClient();
  const calendar = useQuery(calendarQuery(range));
  // What is foreseen begins with this hour; a page that stays open asks again with the calendar's own reading.
  const [opened] = useState(() => Date.now());
  const now = calendar.data === undefined ? opened : Date.parse(calendar.data.now);
  const foreseen = useQuery(foreseenQuery(range, now));
  const again = useSoon(() => void queries.invalidateQueries({ queryKey: ["calendar"] }), AGAIN_MS);
  useLive({ jobs: true }, { runMoved: again, reloaded: again, again });

  const step = view === "day" ? { back: t.previousDay, on: t.nextDay } : { back: t.previousWeek, on: t.nextWeek };
  useKeys([
    { keys: "ArrowLeft", does: step.back, run: () => go(-1) },
    { keys: "ArrowRight", does: step.on, run: () => go(1) },
    { keys: "0", does: t.today, run: () => choose({ date: null }) },
    { keys: "1", does: t.dayView, run: () => choose({ view: "day" }) },
    { keys: "2", does: t.weekView, run: () => choose({ view: "week" }) },
    { keys: "3", does: t.listView, run: () => choose({ view: "list" }) },
  ]);

  const words = parse(filter);
  const all = calendar.data?.lanes ?? [];
  const shown = shownLanes(all, words);
  const names: readonly (readonly [View, string])[] = [["day", t.day], ["week", t.week], ["list", t.list]];
  const views = (
    <span className="seg" role="group" aria-label={t.view}>
      {names.map(([value, name]) => (
        <button key={value} type="button" aria-pressed={view === value} onClick={() => choose({ view: value })}>{name}</button>
      ))}
    </span>
  );
  const failed = calendar.isError && calendar.data === undefined;
  return (
    <>
      <PageHead title={t.title} actions={<Freeze />}>
        <div className="row">
          <Button icon="left" aria-label={step.back} title={step.back} onClick={() => go(-1)} />
          <Button onClick={() => choose({ date: null })}>{t.today}</Button>
          <Button icon="right" aria-label={step.on} title={step.on} onClick={() => go(1)} />
        </div>
        <b className="wk">{rangeName(range)}</b>
      </PageHead>
      {!failed && view !== "list" && <Summary calendar={calendar.data} foreseen={foreseen.data} now={now} filter={filter} onFilter={setFilter} />}
      {view !== "list" && (
        <div className="sched-bar">
          {views}
          <FilterBar label={t.filter} placeholder={t.filterHint} value={filter} onChange={setFilter}
            summary={calendar.data === undefined ? "" : t.summary(shown.length, all.length)} />
        </div>
      )}
      {failed && view !== "list" ? (
        <ErrorState error={calendar.error} title={t.failedTitle} onRetry={() => void calendar.refetch()} />
      ) : view === "list" ? (
        <ScheduleList range={range} foreseen={foreseen.data} now={now} views={views} />
      ) : calendar.data === undefined ? (
        <section className="panel" aria-label={t.label}><SkeletonRows rows={10} height={41} /></section>
      ) : all.length === 0 ? (
        <section className="panel"><EmptyState icon="cal" title={t.emptyTitle}>{t.empty}</EmptyState></section>
      ) : shown.length === 0 ? (
        <section className="panel"><FilteredState filter={filter} hidden={all.length} onClear={() => setFilter("")} /></section>
      ) : wide ? (
        <LanesPanel key={`${range.begin}-${range.end}`} range={range} calendar={calendar.data} lanes={shown} foreseen={foreseen.data} />
      ) : (
        <Agenda range={range} lanes={shown} calendar={calendar.data} date={date} onDate={(next) => choose({ date: next })} />
      )}
      {calendar.data?.cut && view !== "list" && <p className="help sched-cut">{t.cut}</p>}
      {!failed && view !== "list" && calendar.data !== undefined && <Notes calendar={calendar.data} foreseen={foreseen.data} />}
    </>
  );
}
