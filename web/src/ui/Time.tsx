/** An instant: relative and ticking in lists, absolute on hover and for machines. */
import { useStore } from "~/lib/store";
import { language } from "~/lib/i18n";
import { useNow } from "~/lib/now";
import { absolute, duration, hover, relative } from "~/lib/time";

interface Props {
  at: string | null | undefined;
  /** The job's zone: named on hover where its clock shows something else. */
  zone?: string | null;
  look?: "relative" | "absolute";
}

export function Time({ at, zone, look = "relative" }: Props) {
  useStore(language);
  const instant = at == null ? null : new Date(at);
  const words = useNow((now) => (instant === null || look === "absolute" ? "" : relative(instant, now)));
  if (instant === null || at == null) return <>–</>;
  return (
    <time dateTime={at} title={hover(instant, zone)} className="nowrap">
      {look === "absolute" ? absolute(instant) : words}
    </time>
  );
}

/** A span of time; `since` instead of `ms` counts up from there. */
export function Duration({ ms, since }: { ms?: number | null; since?: string | null }) {
  const counted = useNow((now) => (since == null ? "" : duration(Math.max(0, now.getTime() - Date.parse(since)))));
  if (ms != null) return <span className="nowrap">{duration(ms)}</span>;
  return since == null ? <>–</> : <span className="nowrap">{counted}</span>;
}
