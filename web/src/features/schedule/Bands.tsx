/** What lies across all lanes: times without scheduler, freezes, the hour that comes twice or not at all; and their names. */
import type { Band, Calendar } from "~/features/schedule/lanes";
import { hourMinute, lasting } from "~/features/schedule/names";
import { isIn, place, type Range } from "~/features/schedule/range";
import { texts } from "~/features/schedule/texts";
import { useTexts } from "~/lib/i18n";
import { Icon, type IconName } from "~/ui/Icon";

interface Props {
  range: Range;
  calendar: Calendar;
  now: number;
}

const percent = (share: number) => `${(share * 100).toFixed(3)}%`;
const LEAST = "2px";
const ROOM = 0.09;

/** Left and width of a span; null outside of the range. One without end lasts until now, or to the right edge. */
function spread(range: Range, since: number, until: number): { left: string; width: string } | null {
  if (until <= range.begin || since >= range.end) return null;
  const left = place(range, since);
  return { left: percent(left), width: `max(${LEAST}, ${percent(place(range, until) - left)})` };
}

const ends = (band: Band, open: number) => (band.until === null ? open : Date.parse(band.until));

/** The stretch of a clock change on the line of time: an hour that repeats, or the seam where one is missing. */
function stretch(night: Calendar["daylight"][number]): { since: number; until: number; repeats: boolean } {
  const since = Date.parse(night.at);
  const gone = Date.parse(`${night.before}Z`) - Date.parse(`${night.after}Z`);
  return { since, until: since + Math.max(0, gone), repeats: gone > 0 };
}

export function Bands({ range, calendar, now }: Props) {
  const drawn = [
    ...calendar.outages.map((band) => ({ kind: "down", since: Date.parse(band.since), until: ends(band, now) })),
    ...calendar.freezes.map((band) => ({ kind: "frz", since: Date.parse(band.since), until: ends(band, range.end) })),
    ...calendar.daylight.map((night) => ({ kind: "dstb", ...stretch(night) })),
  ];
  return (
    <>
      {now < range.end && <div className="bd fut" style={{ left: percent(place(range, now)), right: 0 }} />}
      {drawn.map(({ kind, since, until }) => {
        const at = spread(range, since, Math.max(until, since + 1));
        return at && <div key={`${kind} ${since}`} className={`bd ${kind}`} style={at} />;
      })}
    </>
  );
}

interface Label { at: number; until: number; kind: string; icon: IconName | null; text: string; title: string }

function useLabels({ range, calendar, now }: Props): readonly Label[] {
  const t = useTexts(texts);
  const length = (band: Band, open: number) => lasting(ends(band, open) - Date.parse(band.since));
  const all: Label[] = [
    ...calendar.outages.map((band) => ({
      at: Date.parse(band.since), until: ends(band, now), kind: "bad", icon: "server" as const, title: band.text,
      text: band.until === null ? t.down : t.outage(length(band, now)),
    })),
    ...calendar.freezes.map((band) => ({
      at: Date.parse(band.since), until: ends(band, range.end), kind: "", icon: "s-hold" as const, title: band.text,
      text: band.until === null ? t.freeze : t.freezeFor(length(band, range.end)),
    })),
    ...calendar.daylight.map((night) => {
      const { since, repeats } = stretch(night);
      const clock = (repeats ? night.after : night.before).slice(11, 16);
      return { at: since, until: since, kind: "", icon: "dst" as const, title: night.text, text: repeats ? t.twice(clock) : t.missing(clock) };
    }),
  ];
  const seen = all.filter((label) => Math.max(label.at, label.until) > range.begin && label.at < range.end);
  if (isIn(range, now)) seen.push({ at: now, until: now, kind: "nowl", icon: null, text: t.now(hourMinute(now)), title: "" });
  return seen.sort((one, other) => one.at - other.at);
}

/** Names stand side by side; where there is no room for one more, its band and its hover remain. */
export function Labels(props: Props) {
  const labels = useLabels(props);
  const shown: (Label & { left: number })[] = [];
  // The present comes first, then the long past and future from left to right.
  for (const label of [...labels].sort((one, other) => Number(other.kind === "nowl") - Number(one.kind === "nowl"))) {
    const free = (left: number) => shown.every((other) => Math.abs(other.left - left) >= ROOM);
    const left = place(props.range, label.at);
    // A long band may be named further to the right.
    const beside = shown.map((other) => other.left + ROOM).find((one) => one > left && one <= place(props.range, label.until) && free(one));
    if (free(left)) shown.push({ ...label, left });
    else if (beside !== undefined) shown.push({ ...label, left: beside });
  }
  return shown.map((label) => (
    <span key={`${label.kind} ${label.at}`} className={`${label.kind}${label.left > 1 - ROOM ? " flip" : ""}`} title={label.title}
      style={label.left > 1 - ROOM ? { right: percent(1 - label.left) } : { left: percent(label.left) }}>
      {label.icon && <Icon name={label.icon} small />}
      {label.text}
    </span>
  ));
}
