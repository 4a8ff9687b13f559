/** The steps on one time axis; each opens in place. The same facts stand in the table beside it. */
import { useId, useState } from "react";

import { StepDetail } from "~/features/runs/run/StepDetail";
import { StepsTable } from "~/features/runs/run/StepsTable";
import type { Story, StoryStep } from "~/features/runs/run/queries";
import { axisWord, isTaken, picture, type Bar, type Lane } from "~/features/runs/run/waterfall";
import { number } from "~/features/runs/numbers";
import { FINAL } from "~/features/runs/query";
import { texts } from "~/features/runs/texts";
import { useTexts } from "~/lib/i18n";
import { useNow } from "~/lib/now";
import { duration } from "~/lib/time";
import { Icon, type IconName } from "~/ui/Icon";
import { Status } from "~/ui/Status";

type Told = Story & { ahead: number };
const TYPES: Readonly<Record<string, IconName>> = { python: "code", sql_query: "db", sql_copy: "copydb", http: "globe", call_job: "call", shell: "server" };
const percent = (part: number) => `${(part * 100).toFixed(3)}%`;

export function Waterfall({ story, onReplayFrom }: { story: Told; onReplayFrom?: (step: string) => void }) {
  const t = useTexts(texts);
  const { run, steps } = story;
  const final = FINAL.has(run.status);
  const now = useNow((at) => (final ? 0 : at.getTime() + story.ahead));
  const [view, setView] = useState<"waterfall" | "table">("waterfall");
  const [toggled, toggle] = useState<ReadonlyMap<number, boolean>>(new Map());
  const first = steps.find((step) => step.status === "failed")?.index;
  const heading = useId();
  const drawn = picture({ ...run, final, steps }, now);
  const isOpen = (step: StoryStep) => toggled.get(step.index) ?? step.index === first;
  return (
    <section className="panel wf" aria-labelledby={heading}>
      <div className="panel-head">
        <h2 id={heading}>{t.steps}</h2>
        {view === "waterfall" && <Legend lanes={drawn.lanes} queue={drawn.queue !== null} />}
        <span className="end">
          <span className="seg" role="group" aria-label={t.view}>
            <button type="button" aria-pressed={view === "waterfall"} onClick={() => setView("waterfall")}>{t.waterfall}</button>
            <button type="button" aria-pressed={view === "table"} onClick={() => setView("table")}>{t.table}</button>
          </span>
        </span>
      </div>
      {view === "table" ? (
        <StepsTable steps={steps} />
      ) : (
        <>
          <div className="axis" aria-hidden="true">
            <span className="s-name">{t.step}</span>
            <svg className="track">
              {drawn.ticks.map((tick) => tick / drawn.span < 0.97 && (
                <text key={tick} x={percent(tick / drawn.span)} y="18" textAnchor={tick === 0 ? "start" : "middle"}>{axisWord(tick, drawn.span)}</text>
              ))}
            </svg>
            <span className="s-dur">{t.tookAndMedian}</span>
          </div>
          <div className="wf-body">
            <svg className="grid" aria-hidden="true">
              {drawn.ticks.map((tick) => <line key={tick} x1={percent(tick / drawn.span)} x2={percent(tick / drawn.span)} y1="0" y2="100%" />)}
              {drawn.now !== null && <line className="now" x1={percent(drawn.now)} x2={percent(drawn.now)} y1="0" y2="100%" />}
            </svg>
            <ol>
              {drawn.queue && (
                <li className="step queue">
                  <div className="s-row">
                    <span className="s-name"><span className="nm">{t.queue}</span></span>
                    <Bars bars={[drawn.queue]} end={drawn.queue.to} words={waited(t, story)} />
                    <span className="s-dur"><b>{duration(story.queue_wait_ms ?? 0)}</b></span>
                  </div>
                </li>
              )}
              {drawn.lanes.map((lane) => (
                <Step
                  key={lane.step.index}
                  lane={lane}
                  run={run}
                  now={now}
                  open={isOpen(lane.step)}
                  onToggle={() => toggle((before) => new Map(before).set(lane.step.index, !isOpen(lane.step)))}
                  {...(onReplayFrom && final && { onReplayFrom: () => onReplayFrom(lane.step.name) })}
                />
              ))}
            </ol>
          </div>
          {steps.length === 0 && <p className="wf-none faint">{run.reason ?? t.noSteps}</p>}
        </>
      )}
    </section>
  );
}

type Words = ReturnType<typeof useTexts<typeof texts.en>>;

function waited(t: Words, story: Story): string {
  if (story.run.started_at === null && story.waits_for.length > 0) return t.waitsFor(story.waits_for.join(", "));
  return (story.queue_wait_ms ?? 0) >= 1000 && story.waits_for.length > 0 ? t.waitedFor(story.waits_for.join(", ")) : "";
}

function rowsWords(t: Words, step: StoryStep): string {
  if (step.status === "waiting") return "";
  const parts = [step.rows_in !== null && t.rowsIn(number(step.rows_in)), step.rows_out !== null && t.rowsOut(number(step.rows_out))];
  const words = parts.filter((part) => part !== false).join(" · ");
  return words === "" && step.reason !== null ? step.reason : words;
}

interface StepProps { lane: Lane; run: Story["run"]; now: number; open: boolean; onToggle: () => void; onReplayFrom?: () => void }

function Step({ lane, run, now, open, onToggle, onReplayFrom }: StepProps) {
  const t = useTexts(texts);
  const id = useId();
  const { step } = lane;
  const waiting = step.status === "waiting";
  const taken = isTaken(step, run.queued_at);
  const took = taken ? null : step.duration_ms ?? (step.started_at !== null && step.status === "running" ? Math.max(0, now - Date.parse(step.started_at)) : null);
  const slow = took !== null && step.median_ms !== null && took > 1000 && took > step.median_ms * 1.5;
  const name = (
    <>
      <span className="s-name">
        {!waiting && <Icon name={open ? "down" : "right"} small />}
        <span className="ix">{step.index + 1}</span>
        <span className="nm trunc" title={step.name}>{step.name}</span>
        <span className="sw"><Status value={waiting ? "queued" : step.status} look="plain">{waiting ? t.waiting : t.stepStatus(step.status)}</Status></span>
        <span className="ty"><Icon name={TYPES[step.type] ?? "cog"} small />{step.type}</span>
      </span>
      <Bars bars={lane.bars} end={lane.end} words={taken && run.replay_of !== null ? t.takenFrom(run.replay_of) : rowsWords(t, step)} bad={step.status === "failed"} />
      <span className={slow ? "s-dur slow" : "s-dur"}>
        <b>{took === null ? "–" : duration(took)}</b>
        {step.median_ms !== null && <small title={t.medianOf20}>{duration(step.median_ms)}</small>}
      </span>
    </>
  );
  if (waiting) return <li className="step is-waiting"><div className="s-row">{name}</div></li>;
  return (
    <li className={`step${open ? " opened" : ""}${step.status === "failed" ? " failed" : ""}`}>
      <button type="button" className="s-row" aria-expanded={open} aria-controls={id} onClick={onToggle}>{name}</button>
      {open && <StepDetail id={id} runId={run.run_id} step={step} {...(onReplayFrom && { onReplayFrom })} />}
    </li>
  );
}

const HALF: Readonly<Record<Bar["kind"], number>> = { queue: 4, wait: 4, ghost: 11, try: 7, ok: 7, bad: 7, run: 7, idle: 7 };

/** Words stand right of the last bar, else left of the first, else on the bars, which then leave no room beside them. */
function wordsAt(from: number, end: number) {
  if (end <= 0.72) return { x: percent(end), dx: end === 0 ? 0 : 8, textAnchor: "start" } as const;
  if (from >= 0.28) return { x: percent(from), dx: -8, textAnchor: "end" } as const;
  return { x: percent((from + end) / 2), textAnchor: "middle", className: "bl on" } as const;
}

function Bars({ bars, end, words, bad = false }: { bars: readonly Bar[]; end: number; words: string; bad?: boolean }) {
  return (
    <svg className="track" aria-hidden="true">
      {bars.map((bar, index) => (
        <rect key={index} className={`b-${bar.kind}`} x={percent(bar.from)} y={18 - HALF[bar.kind]} height={HALF[bar.kind] * 2}
          rx={bar.kind === "wait" || bar.kind === "queue" ? 0 : 2} width={percent(bar.to - bar.from)} style={{ width: `max(2px, ${percent(bar.to - bar.from)})` }} />
      ))}
      {words !== "" && (
        <text className={bad ? "bl bad" : "bl"} y="22" {...wordsAt(bars[0]?.from ?? 0, end)}>{words}</text>
      )}
    </svg>
  );
}

/** Only what is drawn is explained. */
function Legend({ lanes, queue }: { lanes: readonly Lane[]; queue: boolean }) {
  const t = useTexts(texts);
  const kinds = new Set(lanes.flatMap((lane) => lane.bars.map((bar) => bar.kind)));
  const words = { queue: t.queue, ok: t.succeeded, try: t.failedTry, wait: t.backOff, bad: t.failed, run: t.running, ghost: t.medianOf20 } as const;
  return (
    <div className="legend">
      {(Object.keys(words) as (keyof typeof words)[]).filter((kind) => (kind === "queue" ? queue : kinds.has(kind))).map((kind) => (
        <span key={kind}>
          <svg className="key" aria-hidden="true"><rect className={`b-${kind}`} x="0.5" y={kind === "ghost" ? 0.5 : kind === "wait" || kind === "queue" ? 3 : 1} width="15" height={kind === "ghost" ? 13 : kind === "wait" || kind === "queue" ? 8 : 12} rx="2" /></svg>
          {words[kind]}
        </span>
      ))}
    </div>
  );
}

/** Patterns of the hatched bars, once in the page. */
export function Hatches() {
  return (
    <svg className="sr" aria-hidden="true">
      <defs>
        <pattern id="hatch-wait" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="1.4" height="5" className="hatch-wait" /></pattern>
        <pattern id="hatch-queue" width="4" height="4" patternUnits="userSpaceOnUse"><rect width="1" height="4" className="hatch-queue" /></pattern>
      </defs>
    </svg>
  );
}
