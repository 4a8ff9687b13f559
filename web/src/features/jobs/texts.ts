/** Words of the pages about jobs. */
import { dictionary } from "~/lib/i18n";

const s = (count: number, one: string, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;

export const en = {
  title: "Jobs", live: "Live", label: "Jobs", byState: "Jobs by state", all: "All", crumb: "Up",
  state: "State", job: "Job", strip: "Last 60 due instants", schedule: "Schedule", lastAndNext: "Last and next", p50Help: "Half of the successful runs take no longer",
  measured: (runs: number) => (runs === 0 ? "No successful run yet" : `Of ${s(runs, "successful run")}`),
  on: "On", actions: "Actions", last: "Last", next: "Next", noSchedule: "No schedule", byHand: "by hand or from a job",
  moreSchedules: (count: number) => `+ ${count} more`,
  filter: "Filter jobs", filterHint: "state:  tag:  app:",
  summary: (shown: number, all: number) => (shown === all ? s(all, "job") : `${shown} of ${s(all, "job")}`),
  reload: "Reload files", reloaded: (jobs: number) => `Reloaded: ${s(jobs, "job")}`, newJob: "New job",
  emptyTitle: "No jobs yet", empty: "Write the first one here, put a jobs.toml in the apps folder, or start with --demo.",
  failedTitle: "The jobs could not be read", jobFailed: "The job could not be read", jobGone: "It is in no file any more.",
  legend: "Key to the bars", legendHeight: "Height is duration",
  // states
  inARow: (count: number, atLeast: boolean) => `${count}${atLeast ? " or more" : ""} in a row`, waits: "waits", waitsNow: "waits now",
  until: "until", untilResumed: "until resumed", running: (running: number, waiting: number) => `${running} running${waiting > 0 ? `, ${waiting} waiting` : ""}`,
  ofAbout: (usual: string) => `of about ${usual}`, quarantineHelp: "The job does not fire until this is fixed.", openAtLine: (line: number) => `Open at line ${line}`,
  heldByFreeze: "held by the freeze",
  frozen: "All schedules are frozen", untilUnfrozen: "until they are let go.", unfreeze: "Unfreeze", unfrozen: "Schedules fire again", stillFrozen: "The freeze stays",
  afterwards: (what: string) => ({ drop: "What falls due meanwhile is left out.", latest: "At the end each runs once.", all: "At the end everything that fell due runs." })[what] ?? "",
  // acting on one
  runNow: (job: string) => `Run ${job} now`, run: "Run now", runWith: "Run with parameters", started: (id: string) => `${id} started`, watch: "Watch",
  startedSkipped: (id: string) => `${id} was skipped`, abort: (job: string) => `Abort ${job}`, abortRow: "Abort", more: (job: string) => `More actions for ${job}`,
  enabled: (job: string) => `${job} enabled`, on_: (job: string) => `${job} is on`, off: (job: string) => `${job} is off`, resumed: (job: string) => `${job} goes on`,
  refused: (job: string) => `${job} was left as it was`, notStarted: (job: string) => `${job} did not start`,
  openJob: "Open", itsRuns: "Runs of this job", pause: "Pause", resume: "Resume", edit: "Edit", backfill: "Backfill", why: "Why", enable: "Enable", disable: "Disable",
  nextRow: "Next job", previousRow: "Previous job", openRow: "Open job", selectRow: "Select job",
  // many
  select: (job: string) => `Select ${job}`, selectAll: (count: number) => `Select all ${count}`, chosen: (count: number) => `${s(count, "job")} selected`, clearSelection: "Clear the selection",
  bulkDone: (what: string, count: number) => `${s(count, "job")} ${({ run: "started", enable: "enabled", disable: "disabled", pause: "paused", resume: "resumed" })[what] ?? what}`,
  bulkPart: (what: string, done: number, refused: number) => `${s(done, "job")} ${({ run: "started", enable: "enabled", disable: "disabled", pause: "paused", resume: "resumed" })[what] ?? what}, ${refused} refused`,
  runManyTitle: (count: number) => `Run ${s(count, "job")} now?`, runMany: (count: number) => `Run ${s(count, "job")}`, runManyHelp: "Each with its own parameters as defined.",
  pauseTitle: (job: string) => `Pause ${job}`, pauseMany: (count: number) => `Pause ${s(count, "job")}`, pauseVerb: "Pause", pauseUntil: "Until", pauseHelp: "Empty: until it is resumed. Runs by hand go on.",
  inThePast: "This is in the past", reason: "Reason", thenLabel: "At the end, what fell due meanwhile",
  thenChoice: (what: string) => ({ drop: "is left out", latest: "runs once, for the latest instant", all: "runs for every instant" })[what] ?? what,
  abortTitle: (run: string) => `Abort ${run}?`, abortMany: (count: number, job: string) => `Abort ${s(count, "run")} of ${job}?`, abortRun: "Abort run", abortRuns: "Abort runs", keepRunning: "Keep running",
  abortHelp: "The step in progress is asked to stop. What it has finished stays; later steps will not run.", nothingRuns: (job: string) => `${job} has ended meanwhile.`, aborting: (count: number) => `${s(count, "run")} told to stop`,
  // why
  whyOf: (job: string) => `Why, ${job}`, asking: "Looking it up", openRun: (run: string) => `Open ${run}`,
  // next 24 hours
  nextDay: "Next 24 h", weekView: "Week view", repeating: "Jobs that repeat", moreJobs: (count: number) => `and ${s(count, "more job")}`, times: (count: number) => `${count} times`, nothingDue: "Nothing is due in the next 24 hours.", freeze: "Freeze",
  noPools: "No job that is due takes a connection.", loadFoot: (pool: string, peak: number, limit: number) => `Bars: connections needed of ${pool}, ${peak} of ${limit} at most. Dashes: its limit.`,
  loadLabel: (pool: string, peak: number, limit: number, at: string) => `Connections needed of ${pool} per quarter hour. Peak ${peak} of ${limit}${at && ` at ${at}`}.`,
  truncated: "More fires than can be shown were left out.", startTogether: (count: number) => `${count} start together`, jobs: (count: number) => s(count, "job"), needs: (need: number, limit: number) => `needs ${need} of ${limit}`,
  preset: (name: string) => `preset ${name}`, about: (took: string) => `about ${took}`, held: "held",
  // run with parameters
  runTitle: (job: string) => `Run ${job}`, runVerb: "Run", presetLabel: "Preset", defaults: "Defaults", logLevel: "Log level", thisRunOnly: "for this run only", cancel: "Cancel",
  kind: (kind: string) => ({ string: "text", int: "whole number", float: "number", bool: "yes or no", date: "date", datetime: "date and time", list: "JSON list", table: "JSON object", any: "text or JSON", choice: "choice" })[kind] ?? kind,
  kindSecret: "secret", kindConnector: "connector", required: "required", notSet: "not set", yes: "yes", no: "no",
  fault: (fault: string) => ({ required: "A value is needed", int: "Not a whole number", float: "Not a number", date: "Not a date", datetime: "Not a date and time", list: "Not a JSON list", table: "Not a JSON object" })[fault] ?? fault,
  secretKept: "Set; type to replace it for this run", secretReplaced: "Replaced for this run, never shown", lookedUp: "Looked up at the start:", usually: "usually", changed: "changed", reset: "Reset",
  steps: "Steps", willRun: (running: number, all: number) => `${running} of ${all} will run`, values: (count: number) => s(count, "argument"), valuesChanged: (count: number) => `${count} changed`,
  noStepRuns: "No step would run", asDefined: "As defined: nothing differs", asPreset: (name: string) => `As the preset ${name} says`,
  sendsOnly: (values: number, steps: number) => `Sends only what differs: ${[values > 0 ? s(values, "value") : "", steps > 0 ? `${s(steps, "step")} switched` : ""].filter(Boolean).join(", ")}`,
  // backfill
  backfillTitle: (job: string) => `Backfill ${job}`, backfillHelp: "A run for each instant its schedules were due in this span, at most 1,000. They go on over restarts.",
  from: "From", to: "To, included", onlyMissing: "Only instants that have not succeeded", newestFirst: "Newest first", atOnce: "Runs at once", startBackfill: "Start backfill",
  spanTurned: "The span ends before it begins", atOnceRange: (most: number) => `Runs at once: 1 to ${most}`, nothingMissing: "Nothing is missing in this span", backfillStarted: (count: number) => `${s(count, "run")} queued`,
  backfills: "Backfills", noBackfills: "None yet.", callOff: "Call off", calledOff: (by: string) => `called off by ${by}`, doneOf: (done: number, all: number) => `${done} of ${all} done`,
  callOffTitle: "Call the backfill off?", goOn: "Go on", callOffHelp: (left: number) => `${s(left, "run")} that wait or run will end. What is done stays.`, backfillCancelled: (number: number) => `Backfill ${number} called off`,
  // a job's page
  facts: "Facts", app: "App", tags: "Tags", took: "Took", usual: (p50: string, p95: string, runs: number) => `${p50} usually, ${p95} at most in 95 % of ${s(runs, "run")}`, notMeasured: "no successful run yet",
  stepsLabel: "Steps", steps_: (count: number) => s(count, "step"), overlap: "Overlap", pausedBy: "Paused by", file: "File", version: "Definition", isOn: "on", isOff: "off",
  overlapIs: (what: string) => ({ skip: "a run that finds another is skipped", queue: "a run waits for the one before", replace: "a run replaces the one before", allow: "runs may overlap" })[what] ?? what,
  schedules: (count: number): string => (count === 1 ? "Schedule" : "Schedules"), nextFires: "Next fires",
  lastRuns: "Last runs", allRuns: "All runs", noRuns: "No runs yet", noRunsYet: "The first one will stand here.", status: "Status", runLabel: "Run", begun: "Started", because: "Reason or trigger",
  trigger: (what: string, by: string | null) => (by === null || by === what ? what : `${what}, ${by.replace(/^user:/, "")}`),
  marks: "Incremental copies", noMark: "The next copy takes everything.", startAgain: "Start again", resetTitle: (step: string) => `Copy everything of ${step} again?`, resetHelp: "The mark is forgotten. The next run copies from the start.", markReset: (step: string) => `${step} starts again`,
};

export const texts = dictionary(en, () => import("./texts.fr"));
