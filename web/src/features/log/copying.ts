/** Lines as text for the clipboard: those of a selection, as far as they are shown. */
import { plain } from "~/features/log/ansi";
import type { LogModel } from "~/features/log/model";
import { askLines } from "~/features/log/requests";
import type { LiveLine } from "~/lib/live";

const MOST_LINES = 20_000;

/** The selected lines, read if they are not held. */
export async function selectedText(model: LogModel): Promise<{ text: string; count: number }> {
  const { active, from, min } = model.view.get();
  const first = Math.min(active, from || active);
  const last = Math.min(Math.max(active, from), first + MOST_LINES - 1);
  const lines: LiveLine[] = [];
  for (let since = first - 1; active > 0 && since < last; ) {
    const held = model.pages.get(since + 1);
    if (held !== undefined) {
      if (model.shape.level(held.seq) >= min) lines.push(held);
      since++;
      continue;
    }
    const page = await askLines(model.runId, since, Math.min(1000, last - since), min);
    lines.push(...page.items.filter((line) => line.seq <= last));
    if (page.items.length === 0) break;
    since = page.last_seq;
  }
  return { text: lines.map(textOf).join("\n"), count: lines.length };
}

function textOf({ ts, level, logger, message }: LiveLine): string {
  return `${ts} ${level} ${logger} ${plain(message)}`;
}
