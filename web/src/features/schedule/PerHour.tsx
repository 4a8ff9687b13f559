/** How much is due in each hour, and the minutes in which more runs begin than may run at once. */
import type { Calendar } from "~/features/schedule/lanes";
import { WIDTH } from "~/features/schedule/marks";
import { hourMinute } from "~/features/schedule/names";
import { HOUR, isIn, place, type Range } from "~/features/schedule/range";
import { texts } from "~/features/schedule/texts";
import { useTexts } from "~/lib/i18n";
import { Icon } from "~/ui/Icon";

const HEIGHT = 40;
const ROOM = 0.09;

interface Props {
  range: Range;
  counts: { past: readonly number[]; coming: readonly number[] };
  crowded: Calendar["crowded"];
  /** There is more to come than was counted. */
  cut: boolean;
}

function bars(counts: readonly number[], from: readonly number[] | null, most: number): string {
  const slot = WIDTH / counts.length;
  return counts.map((count, hour) => {
    if (count === 0) return "";
    const scale = (value: number) => Math.round((value / most) * (HEIGHT - 4));
    const floor = HEIGHT - scale(from?.[hour] ?? 0);
    return `M${(hour * slot).toFixed(1)} ${floor}v-${Math.max(1, scale(count))}h${(slot - 1).toFixed(1)}V${floor}z`;
  }).join("");
}

export function PerHour({ range, counts, crowded, cut }: Props) {
  const t = useTexts(texts);
  const { past, coming } = counts;
  const most = Math.max(1, ...past.map((count, hour) => count + (coming[hour] ?? 0)));
  const flags: { at: number; fires: number; left: number }[] = [];
  for (const crowd of [...crowded].sort((one, other) => other.fires - one.fires)) {
    const at = Date.parse(crowd.at);
    const left = place(range, at);
    if (isIn(range, at) && flags.every((other) => Math.abs(other.left - left) >= ROOM)) flags.push({ at, fires: crowd.fires, left });
  }
  const hour = WIDTH / past.length;
  return (
    <div className="load">
      <div className="lh"><b>{t.perHour}</b><small title={cut ? t.nothingCut : undefined}>{t.atMost(most)}{cut && "+"}</small></div>
      <div className="t">
        <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={t.perHourLabel(most)}>
          <path className="l-past" d={bars(past, null, most)} />
          <path className="l-fut" d={bars(coming, past, most)} />
          {flags.map((flag) => {
            const x = Math.floor((flag.at - range.begin) / HOUR) * hour;
            return <path key={flag.at} className="l-full" d={`M${x} 0h${hour - 1}v${HEIGHT}h-${hour - 1}z`} />;
          })}
        </svg>
        {flags.map((flag) => (
          <span key={flag.at} className="pk" title={t.atOnceAt(flag.fires, hourMinute(flag.at))}
            style={flag.left > 1 - ROOM ? { right: `${(1 - flag.left) * 100}%` } : { left: `${flag.left * 100 + 100 / past.length}%` }}>
            <Icon name="collide" small />{t.atOnce(flag.fires)}
          </span>
        ))}
      </div>
    </div>
  );
}
