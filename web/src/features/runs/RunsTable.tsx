/** The table over any number of runs: rows of one height, at most 50 in the document, pages asked for as one scrolls. */
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useLayoutEffect, useRef, useState } from "react";

import { Row, useActs } from "~/features/runs/Row";
import type { Run } from "~/features/runs/query";
import type { Selection } from "~/features/runs/selection";
import { texts } from "~/features/runs/texts";
import type { Runs } from "~/features/runs/useRuns";
import { useTexts } from "~/lib/i18n";
import { useKeys } from "~/lib/keys";

const ROW = 32;
const CARD = 88;
const MOST_ROWS = 50;
const AHEAD = 100;
/** Further above what is in memory than this, the newest page is read afresh instead of all between. */
const FAR = 1000;

interface Props {
  runs: Runs;
  selection: Selection;
  opened: string | null;
  onOpen: (run: Run) => void;
  onAbort: (run: Run) => void;
  onReplay: (run: Run) => void;
  mayAct: boolean;
}

function usePhone(): boolean {
  const [phone, setPhone] = useState(() => matchMedia("(max-width: 760px)").matches);
  useEffect(() => {
    const media = matchMedia("(max-width: 760px)");
    const told = () => setPhone(media.matches);
    media.addEventListener("change", told);
    return () => media.removeEventListener("change", told);
  }, []);
  return phone;
}

export function RunsTable({ runs, selection, opened, onOpen, onAbort, onReplay, mayAct }: Props) {
  const t = useTexts(texts);
  const { rows, above, older } = runs.window;
  const body = useRef<HTMLTableSectionElement>(null);
  const [active, setActive] = useState<string | null>(null);
  const [top, setTop] = useState(0);
  const height = usePhone() ? CARD : ROW;
  useLayoutEffect(() => {
    if (body.current !== null) setTop(Math.round(body.current.getBoundingClientRect().top + window.scrollY));
  }, [height, selection.size, runs.window.waiting.length]);

  const count = above + rows.length;
  const seen = Math.ceil(window.innerHeight / height);
  const virtual = useWindowVirtualizer({
    count,
    estimateSize: () => height,
    overscan: Math.max(0, Math.min(8, Math.floor((MOST_ROWS - seen) / 2))),
    scrollMargin: top,
    // What a scroll asks for is drawn with the next frame, once, however many events there were.
    useFlushSync: false,
  });
  useEffect(() => virtual.measure(), [virtual, height]);
  const items = virtual.getVirtualItems().slice(0, MOST_ROWS);
  const from = items[0]?.index ?? 0;
  const to = items.at(-1)?.index ?? 0;
  const { loadOlder, loadNewer, again } = runs;
  useEffect(() => {
    if (older !== null && to > count - AHEAD) loadOlder();
    if (above > 0 && from < above - FAR) again();
    else if (above > 0 && from < above + AHEAD) loadNewer();
  }, [from, to, count, above, older, loadOlder, loadNewer, again]);

  const there = (id: string) => body.current?.querySelector<HTMLElement>(`[data-key="${id}"]`);
  const at = rows.findIndex((run) => run.run_id === active);
  const focus = (index: number) => {
    const run = rows[Math.max(0, Math.min(rows.length - 1, index))];
    if (run === undefined) return;
    setActive(run.run_id);
    const shown = there(run.run_id);
    if (shown != null) return shown.focus();
    virtual.scrollToIndex(above + rows.indexOf(run), { align: "auto" });
    requestAnimationFrame(() => requestAnimationFrame(() => there(run.run_id)?.focus()));
  };
  const onRow = (act: (run: Run) => void) => () => {
    const run = rows[at];
    if (run !== undefined) act(run);
  };
  useKeys([
    { keys: "j", does: t.nextRow, run: () => focus(at + 1) },
    { keys: "k", does: t.previousRow, run: () => focus(at < 0 ? 0 : at - 1) },
    ...(mayAct
      ? [
          { keys: "x", does: t.selectRow, run: onRow((run) => selection.toggle(run)) },
          { keys: "a", does: t.abortRow, run: onRow(onAbort) },
          { keys: "r", does: t.replayRow, run: onRow(onReplay) },
        ]
      : []),
  ]);
  const act = useActs({ onOpen, onActive: (run) => setActive(run.run_id), onTick: selection.toggle });
  const gap = (size: number) => size > 0 && <tr className="gap" aria-hidden="true"><td style={{ height: size }} /></tr>;
  const all = rows.length > 0 && rows.slice(0, selection.most).every((run) => selection.has(run.run_id));

  return (
    <table className="tbl" aria-label={t.label} aria-rowcount={older === null ? count + 1 : -1} aria-busy={runs.state === "loading"}>
      <thead>
        <tr>
          {mayAct && (
            <th scope="col" className="c-x">
              <input type="checkbox" className="check" aria-label={t.selectAll} checked={all} onChange={() => (all ? selection.clear() : selection.all(rows))} />
            </th>
          )}
          <th scope="col" className="c-st">{t.status}</th>
          <th scope="col" className="c-id">{t.run}</th>
          <th scope="col" className="c-job">{t.job}</th>
          <th scope="col" className="c-at" aria-sort="descending">{t.started}</th>
          <th scope="col" className="c-dur num">{t.duration}</th>
          <th scope="col" className="c-rows num">{t.rows}</th>
          <th scope="col" className="c-trig">{t.trigger}</th>
        </tr>
      </thead>
      <tbody ref={body}>
        {gap(from * height)}
        {items.map((item) => {
          const run = rows[item.index - above];
          if (run === undefined) return <tr key={item.index} className="void" aria-hidden="true"><td colSpan={8} /></tr>;
          return (
            <Row
              key={run.run_id}
              run={run}
              place={item.index + 2}
              current={opened === run.run_id}
              ticked={mayAct ? selection.has(run.run_id) : null}
              act={act}
            />
          );
        })}
        {gap((count - to - 1) * height)}
      </tbody>
    </table>
  );
}
