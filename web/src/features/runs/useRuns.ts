/** The runs that fit a filter: pages by need at either end, news from the live connection at most four times a second. */
import { useCallback, useEffect, useReducer, useRef, useState } from "react";

import { api, ok } from "~/api/client";
import { FINAL, type Asked, type Run } from "~/features/runs/query";
import { EMPTY, joinNewer, joinOlder, patched, peeked, shown, type RunWindow } from "~/features/runs/window";
import { useLive } from "~/lib/useLive";

const PAGE = 200;
const PEEK = 50;
const NEWS_MS = 250;

export interface Runs {
  window: RunWindow;
  state: "loading" | "ready" | "error";
  error: unknown;
  loadOlder: () => void;
  loadNewer: () => void;
  showWaiting: () => void;
  again: () => void;
}

async function page(asked: Asked, more: { limit?: number; cursor?: string; direction?: "newer" } = {}) {
  return ok(api.GET("/admin/jobs/runs", { params: { query: { ...asked, limit: PAGE, ...more } } }));
}

/** `atTop` is asked when something new comes: it goes into the table at once only there. */
export function useRuns(asked: Asked, atTop: () => boolean, onNews: () => void): Runs {
  const key = JSON.stringify(asked);
  const [list, change] = useReducer((before: RunWindow, how: (before: RunWindow) => RunWindow) => how(before), EMPTY);
  const [state, setState] = useState<Runs["state"]>("loading");
  const [error, setError] = useState<unknown>(null);
  const [turn, setTurn] = useState(0);
  const busy = useRef({ older: false, newer: false });
  const latest = useRef({ asked, key, list, atTop, onNews });
  useEffect(() => {
    latest.current = { asked, key, list, atTop, onNews };
  });

  useEffect(() => {
    let left = false;
    busy.current = { older: false, newer: false };
    const load = async () => {
      setState("loading");
      const wanted = JSON.parse(key) as Asked;
      let found = await page(wanted);
      let rows: Run[] = found.items;
      // A search looks through some thousands of runs at a time: a page may be empty and have a next one.
      while (rows.length === 0 && found.next_cursor !== null && !left) {
        found = await page(wanted, { cursor: found.next_cursor });
        rows = found.items;
      }
      if (left) return;
      change(() => ({ ...EMPTY, rows, older: found.next_cursor }));
      setState("ready");
    };
    load().catch((thrown: unknown) => {
      if (left) return;
      setError(thrown);
      setState("error");
    });
    return () => {
      left = true;
    };
  }, [key, turn]);

  const more = useCallback((way: "older" | "newer") => {
    const { list, asked, key } = latest.current;
    const cursor = way === "older" ? list.older : list.above > 0 ? (list.rows[0]?.run_id ?? null) : null;
    if (cursor === null || busy.current[way]) return;
    busy.current[way] = true;
    page(asked, way === "older" ? { cursor } : { cursor, direction: "newer" })
      .then((found) => {
        if (latest.current.key !== key) return;
        if (way === "older") change((before) => joinOlder(before, found.items, found.next_cursor));
        else change((before) => joinNewer(before, found.items, found.items.length > 0 && found.previous_cursor !== null && before.above > found.items.length));
      })
      // Tried again at the next scroll.
      .catch(() => undefined)
      .finally(() => {
        busy.current[way] = false;
      });
  }, []);

  const news = useRef({ moved: new Map<string, Run>(), timer: undefined as ReturnType<typeof setTimeout> | undefined, unknown: false });
  const flush = useCallback(() => {
    const { moved, unknown } = news.current;
    const known = new Map(moved);
    news.current.timer = undefined;
    news.current.unknown = false;
    moved.clear();
    if (known.size > 0) change((before) => patched(before, known));
    if ([...known.values()].some((run) => FINAL.has(run.status)) || unknown) latest.current.onNews();
    if (!unknown) return;
    const { asked, key } = latest.current;
    page(asked, { limit: PEEK })
      .then((found) => {
        if (latest.current.key === key) change((before) => peeked(before, found.items, latest.current.atTop()));
      })
      .catch(() => undefined);
  }, []);
  const soon = useCallback((wait: number) => {
    news.current.timer ??= setTimeout(flush, wait);
  }, [flush]);
  useEffect(() => {
    const { current } = news;
    return () => {
      clearTimeout(current.timer);
      current.timer = undefined;
    };
  }, []);
  const heard = useRef(0);
  useLive({ jobs: true }, {
    runMoved: (live) => {
      const run = live as unknown as Run;
      const { list } = latest.current;
      news.current.moved.set(run.run_id, run);
      if (!list.rows.some((row) => row.run_id === run.run_id)) news.current.unknown = true;
      const now = Date.now();
      // The first is told at once, those that follow together.
      soon(now - heard.current > NEWS_MS ? 0 : NEWS_MS);
      heard.current = now;
    },
    again: () => {
      news.current.unknown = true;
      soon(0);
    },
  });

  return {
    window: list,
    state,
    error,
    loadOlder: useCallback(() => more("older"), [more]),
    loadNewer: useCallback(() => more("newer"), [more]),
    showWaiting: useCallback(() => change(shown), []),
    again: useCallback(() => setTurn((before) => before + 1), []),
  };
}
