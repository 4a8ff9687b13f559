/** What happened, in a sentence: how many were due, what became of them, what is to come. */
import { ORDER, STATUS, type Calendar, type Foreseen, type Outcome } from "~/features/schedule/lanes";
import { texts } from "~/features/schedule/texts";
import { parse, print } from "~/lib/filter";
import { useTexts } from "~/lib/i18n";
import { texts as words } from "~/ui/texts";

interface Props {
  calendar: Calendar | undefined;
  foreseen: Foreseen | undefined;
  now: number;
  filter: string;
  onFilter: (text: string) => void;
}

const LOUD: ReadonlySet<Outcome> = new Set(["missed", "failed", "partial-success", "caught up", "late", "aborted", "skipped"]);

export function Summary({ calendar, foreseen, now, filter, onFilter }: Props) {
  const t = useTexts(texts);
  const w = useTexts(words);
  if (calendar === undefined) return <p className="sum"> </p>;
  const counts = ORDER.flatMap((outcome) => {
    const count = calendar.counts[outcome] ?? 0;
    return count > 0 ? [[outcome, count] as const] : [];
  });
  const all = counts.reduce((sum, [, count]) => sum + count, 0);
  const coming = (foreseen?.items ?? []).filter((item) => Date.parse(item.at) >= now);
  const held = coming.filter((item) => item.held !== null).length;
  const show = (outcome: Outcome) => {
    const rest = parse(filter).filter((word) => word.name !== "verdict");
    onFilter(print([{ name: "verdict", values: [outcome.replace(" ", "-")], not: false }, ...rest]));
  };
  return (
    <p className="sum">
      {all > 0 ? <b>{t.due(all)}</b> : t.nothingDue}
      {counts.map(([outcome, count], index) => {
        const word = w[(STATUS[outcome] ?? outcome) as "missed"];
        const said = `${count.toLocaleString()} ${word}`;
        return (
          <span key={outcome}>
            {index === 0 ? ": " : ", "}
            {LOUD.has(outcome)
              ? <button type="button" className={outcome === "missed" || outcome === "failed" ? "sum-bad" : "sum-link"} title={t.show(word)} onClick={() => show(outcome)}>{said}</button>
              : said}
          </span>
        );
      })}
      .{coming.length > 0 && <span className="faint"> {t.toCome(coming.length, held)}.</span>}
    </p>
  );
}
