/** The days that are looked at: the usual spans, or two dates. */
import { RANGES, rangeOf, withRange, type Range } from "~/features/runs/query";
import { texts } from "~/features/runs/texts";
import type { Word } from "~/lib/filter";
import { useTexts } from "~/lib/i18n";
import { Icon } from "~/ui/Icon";

export function RangePicker({ words, onFilter }: { words: readonly Word[]; onFilter: (text: string) => void }) {
  const t = useTexts(texts);
  const range = rangeOf(words);
  const date = (name: string) => words.find((word) => word.name === name && !word.not)?.values[0]?.slice(0, 10) ?? "";
  const names: Record<Range, string> = { "24h": t.last24h, "7d": t.last7d, "30d": t.last30d, all: t.allTime, custom: t.custom };
  const choose = (next: Range) => {
    const today = new Date();
    const from = new Date(today.getFullYear(), today.getMonth(), 1, 12).toISOString().slice(0, 10);
    onFilter(next === "custom" ? withRange(words, "custom", from, "") : withRange(words, next));
  };
  return (
    <span className="range">
      <span className="sel">
        <select className="input" aria-label={t.range} value={range} onChange={(event) => choose(event.currentTarget.value as Range)}>
          {[...Object.keys(RANGES), "custom"].map((one) => <option key={one} value={one}>{names[one as Range]}</option>)}
        </select>
        <Icon name="down" />
      </span>
      {range === "custom" && (
        <>
          <input type="date" className="input" aria-label={t.from} value={date("from")} max={date("to") || undefined}
            onChange={(event) => onFilter(withRange(words, "custom", event.currentTarget.value, date("to")))} />
          <input type="date" className="input" aria-label={t.to} value={date("to")} min={date("from") || undefined}
            onChange={(event) => onFilter(withRange(words, "custom", date("from"), event.currentTarget.value))} />
        </>
      )}
    </span>
  );
}
