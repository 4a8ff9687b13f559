/** State as icon and word, the colour only repeats it: the one map from a value to how it looks. */
import { useTexts } from "~/lib/i18n";
import { Icon, type IconName } from "~/ui/Icon";
import { texts } from "~/ui/texts";

type Tone = "ok" | "bad" | "warn" | "run" | "idle" | "q";

const MAP = {
  queued: ["s-queue", "idle"], running: ["s-run", "run"], aborting: ["s-abort", "warn"], succeeded: ["s-ok", "ok"],
  failed: ["s-bad", "bad"], "partial-success": ["s-part", "warn"], aborted: ["s-abort", "idle"], skipped: ["s-skip", "idle"],
  up: ["s-ok", "ok"], late: ["s-late", "warn"], failing: ["s-bad", "bad"], paused: ["s-pause", "idle"],
  quarantined: ["s-q", "q"], manual: ["s-manual", "idle"], frozen: ["s-hold", "idle"], disabled: ["s-pause", "idle"],
  "never-due": ["s-late", "warn"], scheduled: ["s-late", "idle"],
  "ran-late": ["s-late", "warn"], "caught-up": ["s-catch", "warn"], missed: ["s-miss", "bad"], held: ["s-hold", "idle"],
  due: ["s-late", "warn"],
} as const satisfies Record<string, readonly [IconName, Tone]>;

export type StatusValue = keyof typeof MAP;

/** Green is quiet, red is loud: what is well has no filled pill. */
const QUIET: ReadonlySet<string> = new Set(["ok"]);

interface Props {
  /** One of the map; a word it does not know is shown as it is. */
  value: string;
  /** "auto": a pill unless all is well. */
  look?: "auto" | "pill" | "plain" | "icon" | "big";
  /** Jobs begin with a capital, runs and steps do not. */
  of?: "run" | "job";
  /** Another word than the usual one. */
  children?: string;
}

export function statusTone(value: string): Tone {
  return value in MAP ? MAP[value as StatusValue][1] : "idle";
}

export function Status({ value, look = "auto", of = "run", children }: Props) {
  const t = useTexts(texts);
  const known = value in MAP ? (value as StatusValue) : null;
  const [icon, tone] = known === null ? (["info", "idle"] as const) : MAP[known];
  const shape = look === "auto" ? (QUIET.has(tone) ? "plain" : "pill") : look === "big" ? "pill big" : look;
  const usual = known === null ? value : t[known];
  const word = children ?? (of === "job" ? usual.charAt(0).toUpperCase() + usual.slice(1) : usual);
  return (
    <span className={`st st-${tone} ${shape}`}>
      <Icon name={icon} spin={icon === "s-run"} />
      {shape !== "icon" && word}
      {shape === "icon" && <span className="sr">{word}</span>}
    </span>
  );
}
