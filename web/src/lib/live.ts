/**
 * What happens right now, over Socket.IO: all jobs, one run and its log. Loaded when something first listens.
 *
 *   useLive({ jobs: true }, { runMoved: (run) => …, again: () => refetch() })
 *   followRun("r-12", 0, { lines: (batch) => …, moved, stepMoved })   // resumes by sequence number by itself
 *
 * `again` means: something may have been missed (a gap, a lost connection, a hidden tab), read by REST again.
 */
import type { Socket } from "socket.io-client";

import { base } from "~/lib/base";
import { store } from "~/lib/store";

export interface LiveRun { run_id: string; job: string; app: string; status: string }
export interface LiveStep { run_id: string; job: string; index: number; name: string; status: string; attempt: number }
export interface LiveLine { seq: number; ts: string; level: string; logger: string; step: string | null; message: string }
export interface PoolStats { pools: unknown }

export interface Hearing {
  runMoved?: (run: LiveRun & Record<string, unknown>) => void;
  stepMoved?: (step: LiveStep) => void;
  lines?: (runId: string, lines: readonly LiveLine[]) => void;
  reloaded?: () => void;
  pools?: (stats: PoolStats) => void;
  again?: () => void;
}

export interface Connection {
  state: "off" | "connecting" | "live" | "lost" | "paused";
  /** When the server was last heard, for "showing 14:07:31". */
  heardAt: number | null;
}

/** Time a hidden tab stays connected: looking something up elsewhere must not cost a reconnect. */
const HIDDEN_MS = 30_000;

export const connection = store<Connection>({ state: "off", heardAt: null });
/** Told when the server says that the session is over. */
export const sessionEnded = store<number>(0);

const hearers = new Set<Hearing>();
/** Runs that are followed: the last line heard, and by how many. */
const runs = new Map<string, { seq: number; count: number }>();
const wanted = { jobs: 0, pools: 0 };
let socket: Socket | null = null;
let opening: Promise<void> | null = null;
let hiding: ReturnType<typeof setTimeout> | undefined;

function tell(pick: (hearing: Hearing) => void): void {
  for (const one of [...hearers]) pick(one);
}

function say(state: Connection["state"]): void {
  connection.set({ state, heardAt: state === "live" ? Date.now() : connection.get().heardAt });
}

async function open(): Promise<void> {
  say("connecting");
  const { io } = await import("socket.io-client");
  const made = io({ path: `${base}/socket.io/`, transports: ["websocket"], reconnectionDelayMax: 5000 });
  socket = made;
  let before = false;
  made.on("connect", () => {
    say("live");
    if (wanted.jobs > 0) made.emit("jobs.subscribe");
    if (wanted.pools > 0) made.emit("pools.subscribe");
    for (const [run_id, { seq }] of runs) made.emit("run.subscribe", { run_id, since_seq: seq });
    if (before) tell((one) => one.again?.());
    before = true;
  });
  made.on("disconnect", () => say(document.hidden ? "paused" : "lost"));
  made.on("connect_error", () => {
    say("lost");
    // Refused by the server, which the client does not try again by itself.
    if (!made.active) sessionEnded.set(Date.now());
  });
  made.onAny(() => say("live"));
  made.on("job.run.transitioned", (run) => tell((one) => one.runMoved?.(run)));
  made.on("job.step.transitioned", (step) => tell((one) => one.stepMoved?.(step)));
  made.on("job.run.log", ({ run_id, lines }: { run_id: string; lines: LiveLine[] }) => {
    const last = lines.at(-1);
    const followed = runs.get(run_id);
    if (last !== undefined && followed !== undefined) followed.seq = Math.max(followed.seq, last.seq);
    tell((one) => one.lines?.(run_id, lines));
  });
  made.on("config.reloaded", () => tell((one) => one.reloaded?.()));
  made.on("pool.stats", (stats) => tell((one) => one.pools?.(stats)));
  made.on("gap", () => tell((one) => one.again?.()));
  made.on("session.ended", () => sessionEnded.set(Date.now()));
}

function onVisibility(): void {
  clearTimeout(hiding);
  if (document.hidden) hiding = setTimeout(() => socket?.disconnect(), HIDDEN_MS);
  else if (socket !== null && !socket.connected) socket.connect();
}

/** Try again at once; for the button of the "not connected" line. */
export function reconnect(): void {
  socket?.disconnect().connect();
}

/** Listen; returns how to stop. The connection is made by the first who listens and closed after the last. */
export function listen(what: { jobs?: boolean; pools?: boolean }, hearing: Hearing): () => void {
  hearers.add(hearing);
  if (what.jobs && wanted.jobs++ === 0) socket?.emit("jobs.subscribe");
  if (what.pools && wanted.pools++ === 0) socket?.emit("pools.subscribe");
  if (opening === null) {
    document.addEventListener("visibilitychange", onVisibility);
    opening = open().catch(() => {
      say("lost");
      opening = null;
    });
  }
  return () => {
    hearers.delete(hearing);
    if (what.jobs && --wanted.jobs === 0) socket?.emit("jobs.unsubscribe");
    if (what.pools && --wanted.pools === 0) socket?.emit("pools.unsubscribe");
  };
}

/** Follow one run from the line after `since`. Where several follow it, a line may come twice: its number tells. */
export function followRun(runId: string, since: number, hearing: Omit<Hearing, "lines"> & { lines?: (lines: readonly LiveLine[]) => void }): () => void {
  const { lines, ...rest } = hearing;
  const followed = runs.get(runId) ?? { seq: since, count: 0 };
  const seq = Math.min(followed.seq, since);
  runs.set(runId, { seq, count: followed.count + 1 });
  const stop = listen({}, { ...rest, lines: (of, batch) => of === runId && lines?.(batch) });
  socket?.emit("run.subscribe", { run_id: runId, since_seq: seq });
  return () => {
    stop();
    const now = runs.get(runId);
    if (now !== undefined && --now.count > 0) return;
    runs.delete(runId);
    socket?.emit("run.unsubscribe", { run_id: runId });
  };
}

/** End the connection, at sign-out. */
export function hangUp(): void {
  socket?.disconnect();
  socket = null;
  opening = null;
  document.removeEventListener("visibilitychange", onVisibility);
  connection.set({ state: "off", heardAt: null });
}
