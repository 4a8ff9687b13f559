/** How many runs of each status fit; each is the filter `status:…`. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";

import { api, ok } from "~/api/client";
import { number } from "~/features/runs/numbers";
import { STATUSES, withStatus, type Asked } from "~/features/runs/query";
import { texts } from "~/features/runs/texts";
import type { Word } from "~/lib/filter";
import { useTexts } from "~/lib/i18n";
import { Status } from "~/ui/Status";

export function useCounts(asked: Asked) {
  const rest: Asked = { ...asked };
  delete rest.status;
  return useQuery({
    queryKey: ["runs", "counts", rest],
    queryFn: () => ok(api.GET("/admin/jobs/runs/counts", { params: { query: rest } })),
    placeholderData: keepPreviousData,
  });
}
export type CountsAnswer = ReturnType<typeof useCounts>["data"];

export function StatusTabs({ counts, words, onFilter }: { counts: CountsAnswer; words: readonly Word[]; onFilter: (text: string) => void }) {
  const t = useTexts(texts);
  const chosen = words.find((word) => word.name === "status" && !word.not)?.values;
  const of = counts?.counts ?? {};
  const some = (status: string) => `${number(of[status] ?? 0)}${counts?.more.includes(status) ? "+" : ""}`;
  const all = Object.values(of).reduce((sum, count) => sum + count, 0);
  return (
    <div className="tabs" role="group" aria-label={t.byStatus}>
      <button type="button" aria-current={chosen === undefined ? "true" : undefined} onClick={() => onFilter(withStatus(words, null))}>
        {t.all} <span className="count">{counts === undefined ? "…" : `${number(all)}${counts.more.length > 0 ? "+" : ""}`}</span>
      </button>
      {STATUSES.filter((status) => (of[status] ?? 0) > 0 || chosen?.includes(status)).map((status) => (
        <button key={status} type="button" aria-current={chosen?.includes(status) ? "true" : undefined} onClick={() => onFilter(withStatus(words, status))}>
          <Status value={status} look="plain" /> <span className="count">{some(status)}</span>
        </button>
      ))}
    </div>
  );
}
