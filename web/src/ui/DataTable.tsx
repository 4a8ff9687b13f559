/**
 * A table of any length with at most 50 rows in the document. Real table markup; on phones rows become cards (the
 * columns' classes place the fields). `j` and `k` move between rows, Enter opens; focus stays on its row when rows change.
 */
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { useLayoutEffect, useRef, useState, type KeyboardEvent, type ReactNode } from "react";

import { useKeys } from "~/lib/keys";

export interface Column<Row> {
  key: string;
  header: ReactNode;
  /** Of every cell of this column, where widths and the place on phones are set. */
  className?: string;
  cell: (row: Row) => ReactNode;
  sort?: "ascending" | "descending";
}

interface Props<Row> {
  label: string;
  rows: readonly Row[];
  columns: readonly Column<Row>[];
  rowKey: (row: Row) => string;
  /** Usual height in pixels; real heights are measured. */
  rowHeight: number;
  rowClass?: (row: Row) => string | undefined;
  onOpen?: (row: Row) => void;
  /** Keys that act on the row in focus: `r` runs it. */
  rowKeys?: readonly { keys: string; does: string; run: (row: Row) => void }[];
  /** How the list of keys calls the two moves. */
  moveTexts: { next: string; previous: string; open: string };
}

const MOST_ROWS = 50;

export function DataTable<Row>(props: Props<Row>) {
  const { label, rows, columns, rowKey, rowHeight, rowClass, onOpen, rowKeys = [], moveTexts } = props;
  const body = useRef<HTMLTableSectionElement>(null);
  const [active, setActive] = useState<string | null>(null);
  const [top, setTop] = useState(0);
  useLayoutEffect(() => {
    if (body.current !== null) setTop(Math.round(body.current.getBoundingClientRect().top + window.scrollY));
  }, [rows]);
  const seen = Math.ceil(window.innerHeight / rowHeight);
  const virtual = useWindowVirtualizer({
    count: rows.length,
    estimateSize: () => rowHeight,
    getItemKey: (index) => rowKey(rows[index] as Row),
    overscan: Math.max(0, Math.min(8, Math.floor((MOST_ROWS - seen) / 2))),
    scrollMargin: top,
  });
  const items = virtual.getVirtualItems().slice(0, MOST_ROWS);
  const before = (items[0]?.start ?? 0) - virtual.options.scrollMargin;
  const after = virtual.getTotalSize() - ((items.at(-1)?.end ?? 0) - virtual.options.scrollMargin);

  const focus = (index: number) => {
    const row = rows[Math.max(0, Math.min(rows.length - 1, index))];
    if (row === undefined) return;
    setActive(rowKey(row));
    const there = () => body.current?.querySelector<HTMLElement>(`[data-key="${CSS.escape(rowKey(row))}"]`);
    const shown = there();
    if (shown != null) return shown.focus();
    virtual.scrollToIndex(rows.indexOf(row), { align: "auto" });
    requestAnimationFrame(() => there()?.focus());
  };
  const at = rows.findIndex((row) => rowKey(row) === active);
  const onRow = (run: (row: Row) => void) => () => {
    const row = rows[at];
    if (row !== undefined) run(row);
  };
  useKeys([
    { keys: "j", does: moveTexts.next, run: () => focus(at + 1) },
    { keys: "k", does: moveTexts.previous, run: () => focus(at < 0 ? 0 : at - 1) },
    ...rowKeys.map((one) => ({ keys: one.keys, does: one.does, run: onRow(one.run) })),
  ]);
  const enter = (event: KeyboardEvent, row: Row) => {
    if (event.key === "Enter" && event.target === event.currentTarget) onOpen?.(row);
  };

  return (
    <table className="tbl" aria-label={label} aria-rowcount={rows.length + 1}>
      <thead>
        <tr>
          {columns.map((column) => (
            <th key={column.key} scope="col" className={column.className} aria-sort={column.sort}>{column.header}</th>
          ))}
        </tr>
      </thead>
      <tbody ref={body}>
        {before > 0 && <tr className="gap" aria-hidden="true"><td style={{ height: before }} /></tr>}
        {items.map((item) => {
          const row = rows[item.index] as Row;
          const key = rowKey(row);
          return (
            <tr
              key={key}
              data-key={key}
              data-index={item.index}
              ref={virtual.measureElement}
              aria-rowindex={item.index + 2}
              tabIndex={-1}
              className={rowClass?.(row)}
              onFocus={() => setActive(key)}
              onKeyDown={(event) => enter(event, row)}
            >
              {columns.map((column) => <td key={column.key} className={column.className}>{column.cell(row)}</td>)}
            </tr>
          );
        })}
        {after > 0 && <tr className="gap" aria-hidden="true"><td style={{ height: after }} /></tr>}
      </tbody>
    </table>
  );
}
