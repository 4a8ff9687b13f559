/** Words of the settings pages. */
import { dictionary } from "~/lib/i18n";

const n = (count: number) => count.toLocaleString("en-GB");

export const en = {
  settings: "Settings", technical: "Technical", pools: "Pools", connectors: "Connectors",
  live: "Live", paused: "Paused", pause: "Pause updates", resume: "Resume updates", copyAll: "Copy for support",
  reload: "Reload files", reloaded: (jobs: number, quarantined: number) => `Reloaded: ${n(jobs)} jobs${quarantined > 0 ? `, ${quarantined} of them quarantined` : ""}`,
  notReloaded: "Nothing was reloaded", failedTitle: "This could not be read",
  // the sentence
  alive: "The scheduler is alive", judged: (at: string) => `and has judged every instant up to ${at}.`,
  standby: "This process stands by", standbyBy: (holder: string) => `while ${holder} follows the schedules.`,
  off: "The scheduler is switched off", offHelp: "in this process, and no other follows the schedules. Runs by hand still go.",
  dead: "The scheduler does not tick", deadHelp: (at: string) => `since ${at}: nothing fires. Restart the process, then look at its log.`, deadEver: "and never did: nothing fires. Look at the log of the process.",
  noWait: "Nothing waits.", waits: "Runs are waiting, none is lost.",
  poolsFull: (count: number) => (count === 1 ? "1 pool full" : `${count} pools full`), silent: (count: number) => (count === 1 ? "1 replica silent" : `${count} replicas silent`),
  quarantined: (count: number) => (count === 1 ? "1 job quarantined" : `${count} jobs quarantined`), neverDue: (count: number) => (count === 1 ? "1 job never due again" : `${count} jobs never due again`),
  unusable: (count: number) => (count === 1 ? "1 pool unusable" : `${count} pools unusable`),
  heartbeat: "Scheduler heartbeat", lastFire: "Last fire", nextFire: "Next fire", queue: "Queue", lag: "Event loop lag", lease: "Scheduler lease",
  never: "none yet", none: "none", waiting: (count: number) => `${n(count)} waiting`, hereWaiting: (count: number) => `${n(count)} of them wait here for a place`,
  noneWaiting: "no run waits for a place", worst: (ms: string, at: string) => `worst ${ms} at ${at}`, unmeasured: "not measured yet",
  leaseNumber: (epoch: number) => `number ${epoch}, renewed`, noLease: "nobody", noLeaseHelp: "no process follows the schedules",
  // in flight
  inFlight: "In flight", runsCount: (count: number) => (count === 1 ? "1 run" : `${n(count)} runs`), mark: "mark: median of the last 20",
  run: "Run", job: "Job", state: "State", step: "Step", elapsed: "Elapsed", against: "Against its median",
  left: (span: string) => `about ${span} left`, over: (span: string) => `over its median of ${span}`, noMedian: "no success to compare with",
  waitsThread: "waits for a thread", stopping: (how: string) => `stopping: ${how}`, nothingRuns: "Nothing runs right now.", abort: (id: string) => `Abort ${id}`, aborted: (id: string) => `${id} is being aborted`, notAborted: (id: string) => `${id} was not aborted`,
  hiddenRuns: (count: number) => (count === 1 ? "1 more run is not yours to see." : `${n(count)} more runs are not yours to see.`),
  abortTitle: (id: string) => `Abort ${id}?`, abortText: (job: string, step: string) => `${job} would stop${step === "" ? "" : ` in step ${step}`}. What it has written stays.`, abortVerb: "Abort run", keepRunning: "Keep running",
  // replicas
  replicas: "Replicas", alive_: (alive: number, all: number) => `${alive} of ${all} alive`, replica: "Replica", role: "Role", lastBeat: "Last beat", version: "Version", since: "Up since",
  isAlive: "alive", isSilent: "silent", leads: "leads", here: "this one",
  versions: (names: string) => `Different versions are running: ${names}.`,
  // pools
  inUse: "in use", idle: "idle", notOpened: "not opened", of: (open: number, limit: number | null) => (limit === null ? `${open} open` : `${open} of ${limit} open`), full: "full", notYet: "not opened yet",
  toPools: "Test, reload", poolBar: (use: number, idle: number, open: number, limit: number) => `${use} in use, ${idle} idle, ${open} open of ${limit}`,
  // lag
  lagFor: "this process, 30 min, log scale", lagLabel: (worst: string) => `Event loop lag of the last 30 minutes, worst ${worst}`, limit: (ms: string) => `limit ${ms}`,
  held: (at: string, span: string) => `${at}, held for ${span}`, heldBy: "by", noHolder: "No code has held the loop.",
  // failures
  failures: "Recent failures", failuresCount: "last 20, failed or aborted", allRuns: "All runs", when: "When", took: "Took", reason: "Reason", flap: "Flap", times: (count: number) => `${count} times`, noFailures: "Nothing has failed or was aborted.",
  // abandoned
  abandoned: "Abandoned threads", threads: (threads: number, coroutines: number) => `${threads} threads, ${coroutines} coroutines`, nowAt: "Now at", noneAbandoned: "Every step has let go of its thread.",
  abandonedHelp: "Their runs have ended. The code goes on until its call returns; a restart of the process ends it.", busy: (count: number) => `${count} threads at work`,
};

export const texts = dictionary(en, () => import("./texts.fr"));
