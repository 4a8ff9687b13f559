/** Which span is on show, kept in the address: `view` and `date`. Without a date it is the one of today. */
import { useMemo } from "react";
import { useSearchParams } from "react-router";

import { isoDate, rangeOf, stepped, VIEWS, type Range, type View } from "~/features/schedule/range";
import { useNow } from "~/lib/now";

interface Chosen {
  view?: View;
  date?: string | null;
}

export interface Choosing {
  range: Range;
  view: View;
  date: string;
  choose: (next: Chosen) => void;
  go: (by: -1 | 1) => void;
}

/** On a phone the week is the seven buttons above the list of one day, so the span is a week there, too. */
export function useRange(wide: boolean): Choosing {
  const [search, setSearch] = useSearchParams();
  const today = useNow((now) => isoDate(now));
  const named = search.get("view");
  const view = VIEWS.find((one) => one === named) ?? "week";
  const date = search.get("date") ?? today;
  const range = useMemo(() => rangeOf(view === "day" && !wide ? "week" : view, date, new Date()), [view, wide, date]);
  const choose = (next: Chosen) =>
    setSearch((before) => {
      const after = new URLSearchParams(before);
      if (next.view !== undefined) after.set("view", next.view);
      if (next.date === null) after.delete("date");
      else if (next.date !== undefined) after.set("date", next.date);
      if (after.get("view") === "week") after.delete("view");
      return after;
    }, { replace: true, preventScrollReset: true });
  return { range, view, date, choose, go: (by) => choose({ date: stepped(range, by) }) };
}
