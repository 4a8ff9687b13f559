/**
 * The scrolled lines: one focus stop with an active row. Only what is seen is in the document; rows are measured after
 * they are drawn, so that a message of many lines takes the room it needs.
 */
import { useEffect, useLayoutEffect, useRef, type KeyboardEvent, type MouseEvent } from "react";

import { Header } from "~/features/log/Header";
import { Line } from "~/features/log/Line";
import type { LogModel } from "~/features/log/model";
import { texts } from "~/features/log/texts";
import { Tools } from "~/features/log/Tools";
import type { View } from "~/features/log/view";
import { useTexts } from "~/lib/i18n";
import { absolute } from "~/lib/time";

const SLOTS = 128;

interface Props { model: LogModel; view: View; wrap: boolean; mark: RegExp | null; firstError: number }

export function Lines({ model, view, wrap, mark, firstError }: Props) {
  const t = useTexts(texts);
  const box = useRef<HTMLDivElement>(null);
  const drawn = useRef<HTMLDivElement>(null);
  const { viewport } = model;
  useEffect(() => (box.current === null ? undefined : viewport.attach(box.current)), [viewport]);
  useEffect(() => viewport.remeasure(), [viewport, wrap]);
  useLayoutEffect(() => {
    const heights: [number, number][] = [];
    for (const child of drawn.current?.children ?? []) {
      if (child instanceof HTMLElement && child.dataset.row !== undefined) heights.push([Number(child.dataset.row), child.offsetHeight]);
    }
    viewport.measured(heights);
    viewport.settle();
  });

  const { active, from, header, frame } = view;
  const [low, high] = from < active ? [from, active] : [active, from];
  const keys = (event: KeyboardEvent) => {
    const page = viewport.pageRows;
    const moves: Record<string, () => void> = {
      ArrowDown: () => model.move(1, event.shiftKey), ArrowUp: () => model.move(-1, event.shiftKey),
      j: () => model.move(1, false), k: () => model.move(-1, false),
      PageDown: () => model.move(page, event.shiftKey), PageUp: () => model.move(-page, event.shiftKey),
      Home: () => model.move(-Infinity, event.shiftKey), End: () => viewport.toEnd(),
    };
    if (header !== "") {
      Object.assign(moves, {
        Enter: () => model.toggle(header), " ": () => model.toggle(header),
        ArrowLeft: () => model.toggle(header, false), ArrowRight: () => model.toggle(header, true),
      });
    }
    const move = event.ctrlKey || event.metaKey || event.altKey ? undefined : moves[event.key];
    if (move === undefined) return;
    event.preventDefault();
    move();
  };
  const click = (event: MouseEvent) => {
    if (event.target instanceof Element && event.target.closest("[data-fold]") !== null) box.current?.focus({ preventScroll: true });
    const target = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-seq]") : null;
    const seq = Number(target?.dataset.seq ?? 0);
    // Text that was selected with the mouse stays selected.
    if (seq > 0 && (event.shiftKey || getSelection()?.isCollapsed !== false)) model.activate(seq, event.shiftKey);
  };

  // Said when it is asked for: to write a whole date for every row of a fast log costs more than the row.
  const hover = ({ target }: MouseEvent) => {
    if (target instanceof HTMLTimeElement && target.dateTime !== "") target.title = absolute(new Date(target.dateTime));
  };

  return (
    <div className="pane">
    <div ref={box} className={`lines${wrap ? " wrapped" : ""}`} role="log" aria-live="off" aria-label={t.runLog} tabIndex={0} onKeyDown={keys} onClick={click} onMouseOver={hover}>
      <div className="spacer" style={{ height: frame.spacer }}>
        <div ref={drawn} className="drawn" style={{ transform: `translateY(${frame.shift}px)` }}>
          {view.rows.map((row) =>
            row.kind === "header" ? (
              <Header key={row.block.key} row={row} active={row.block.key === header} onToggle={(key) => model.toggle(key)} />
            ) : (
              <Line
                // While lines rush by the same elements show them; at rest a row keeps its own, and what is selected in it.
                key={view.follow && view.running ? `f${row.row % SLOTS}` : row.seq}
                row={row}
                mark={mark}
                active={row.seq === active}
                selected={row.seq >= low && row.seq <= high && low !== high}
                first={row.seq === firstError}
              />
            ),
          )}
        </div>
      </div>
    </div>
    {view.activeAt !== null && <Tools model={model} view={view} top={view.activeAt} />}
    </div>
  );
}
