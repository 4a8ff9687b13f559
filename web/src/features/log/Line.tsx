/** One line: number, time, level, logger and the message, whose colours and matches are spans and nothing else. */
import { memo, useMemo } from "react";

import { marked, piecesOf } from "~/features/log/ansi";
import { LEVELS } from "~/features/log/shape";
import type { LineRow } from "~/features/log/view";

interface Props {
  row: LineRow;
  mark: RegExp | null;
  active: boolean;
  selected: boolean;
  first: boolean;
}

export const Line = memo(function Line({ row, mark, active, selected, first }: Props) {
  const { seq, line } = row;
  const level = LEVELS[row.level];
  const look = `ll lv-${level.toLowerCase()}${active ? " cur" : ""}${selected ? " sel-line" : ""}${first ? " first" : ""}`;
  return (
    <div className={look} data-row={row.row} data-seq={seq} aria-current={active ? "true" : undefined}>
      <i>{seq}</i>
      {line === undefined ? <time /> : <Moment ts={line.ts} />}
      <span className="lv">{level}</span>
      <span className="lg" title={line?.logger}>{line?.logger}</span>
      {line === undefined ? <span className="ms wait" /> : <Message text={line.message} mark={mark} />}
    </div>
  );
}, (before, next) =>
  before.row.seq === next.row.seq && before.row.row === next.row.row && before.row.line === next.row.line &&
  before.mark === next.mark && before.active === next.active && before.selected === next.selected && before.first === next.first);

function Message({ text, mark }: { text: string; mark: RegExp | null }) {
  const pieces = useMemo(() => piecesOf(text), [text]);
  return (
    <span className="ms">
      {marked(pieces, mark).map(({ text: part, look, hit }, index) =>
        hit ? <mark key={index} className={look || undefined}>{part}</mark> : look === "" ? part : <span key={index} className={look}>{part}</span>,
      )}
    </span>
  );
}

function Moment({ ts }: { ts: string }) {
  const at = new Date(ts);
  const two = (value: number) => String(value).padStart(2, "0");
  const clock = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, "0")}`;
  return <time dateTime={ts}>{clock}</time>;
}
