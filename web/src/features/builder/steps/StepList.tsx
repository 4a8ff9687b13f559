/** The steps as a list to choose from and to put in order: by dragging the handle, or with Alt and the arrows from it. */
import { useEffect, useRef, useState, type KeyboardEvent, type PointerEvent } from "react";

import { useForm } from "~/features/builder/form/context";
import { problemsAt } from "~/features/builder/paths";
import { iconOf, placeAfter, type Step } from "~/features/builder/steps/steps";
import { texts } from "~/features/builder/texts";
import { useTexts } from "~/lib/i18n";
import { Icon } from "~/ui/Icon";

interface Drag { from: number; startY: number; moved: number; height: number }

export function StepList({ steps, chosen, onChoose }: { steps: readonly Step[]; chosen: number; onChoose: (index: number) => void }) {
  const t = useTexts(texts);
  const { session, seen, disabled } = useForm();
  const [said, setSaid] = useState("");
  const [drag, setDrag] = useState<Drag | null>(null);
  const focusAt = useRef<number | null>(null);
  const list = useRef<HTMLOListElement>(null);
  const to = drag === null ? null : placeAfter(drag.from, drag.moved, drag.height, steps.length);

  useEffect(() => {
    // The handle that was moved keeps the focus at its new place.
    if (focusAt.current === null) return;
    list.current?.querySelectorAll<HTMLElement>(".drag")[focusAt.current]?.focus();
    focusAt.current = null;
  }, [seen]);

  const move = (from: number, target: number) => {
    const step = steps[from];
    if (step === undefined || target < 0 || target >= steps.length || target === from) return;
    session.edit({ op: "move", path: ["steps", from], to: target });
    setSaid(t.movedTo(step.name, target + 1, steps.length));
    onChoose(target);
  };
  const onKey = (event: KeyboardEvent, index: number) => {
    if (!event.altKey || (event.key !== "ArrowUp" && event.key !== "ArrowDown")) return;
    event.preventDefault();
    const target = index + (event.key === "ArrowUp" ? -1 : 1);
    if (target < 0 || target >= steps.length) return;
    focusAt.current = target;
    move(index, target);
  };
  const grab = (event: PointerEvent<HTMLElement>, from: number) => {
    if (event.button !== 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    setDrag({ from, startY: event.clientY, moved: 0, height: event.currentTarget.closest("li")?.offsetHeight ?? 36 });
  };
  const drop = () => {
    if (drag !== null && to !== null) move(drag.from, to);
    setDrag(null);
  };
  /** How far a row makes room for the one that is dragged over it. */
  const shift = (index: number): number => {
    if (drag === null || to === null) return 0;
    if (index === drag.from) return drag.moved;
    if (drag.from < index && index <= to) return -drag.height;
    return to <= index && index < drag.from ? drag.height : 0;
  };
  return (
    <>
      <ol className="sl" aria-label={t.steps} ref={list}>
        {steps.map((step, index) => {
          const wrong = problemsAt(seen.draft?.problems ?? [], ["steps", index], true).length;
          return (
            <li key={index} aria-current={index === chosen || undefined} className={drag?.from === index ? "dragged" : undefined}
              style={drag === null ? undefined : { transform: `translateY(${shift(index)}px)` }}>
              {!disabled && (
                <button
                  type="button"
                  className="drag"
                  aria-label={t.moveStep(step.name, index + 1, steps.length)}
                  onKeyDown={(event) => onKey(event, index)}
                  onPointerDown={(event) => grab(event, index)}
                  onPointerMove={(event) => { if (drag !== null) setDrag({ ...drag, moved: event.clientY - drag.startY }); }}
                  onPointerUp={drop}
                  onPointerCancel={() => setDrag(null)}
                >
                  <Icon name="drag" />
                </button>
              )}
              <button type="button" className="sn" onClick={() => onChoose(index)}>
                <span className="ix">{index + 1}</span>
                <span className={step.enabled ? "trunc" : "trunc offs"}>{step.name}</span>
                {wrong > 0 && <span className="st st-bad"><Icon name="s-bad" /><span className="sr">{t.problems(wrong)}</span></span>}
                <span className="ty"><Icon name={iconOf(step.type)} small />{step.type}</span>
              </button>
            </li>
          );
        })}
      </ol>
      <span className="sr" role="status" aria-live="assertive">{said}</span>
    </>
  );
}
