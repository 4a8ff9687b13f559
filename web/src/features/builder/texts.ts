/** Words of the builder. */
import { dictionary } from "~/lib/i18n";

const ACTIONS: Readonly<Record<string, string>> = { create: "created", change: "changed", restore: "restored", rename: "renamed", duplicate: "copied", file: "changed in the file" };

export const en = {
  jobs: "Jobs", crumb: "Breadcrumb", newJob: "New job", notRead: (job: string) => `The definition of ${job} could not be read`,
  save: "Save", saveAs: (version: number) => `Save as v${version}`, create: "Create job", discard: "Discard", cancel: "Cancel", more: "Rename, duplicate, delete",
  versions: "Versions", problems: (count: number) => (count === 1 ? "1 problem" : `${count} problems`),
  notSavedYet: "not saved yet", edited: (version: number | null) => (version === null ? "edited" : `edited, based on v${version}`),
  unchanged: (version: number | null) => (version === null ? "as in the file" : `v${version}, as in the file`),
  saved: (job: string) => `${job} saved`, savedAs: (job: string, version: number) => `${job} saved as v${version}`, notSaved: "Nothing was saved",
  made: (job: string, file: string) => `${job} created in ${file}`, renamed: (job: string) => `Now called ${job}`, duplicated: (job: string) => `${job} created, its schedules are off`,
  deleted: (job: string) => `${job} deleted`, undo: "Undo", isBack: (job: string) => `${job} is back`, tryAgain: "Try again",
  shipped: "This job ships with the program. It can be looked at and copied, not changed.",
  unreadable: "The text cannot be read. The form waits until it can.",
  leaveTitle: "Leave without saving?", leave: "Leave", stay: "Stay", leaveText: "Your changes of this job are not saved and would be lost.",
  rename: "Rename", renameTitle: (job: string) => `Rename ${job}`, renameText: "Jobs that depend on it or call it follow. Past runs and versions stay under the old name.",
  duplicate: "Duplicate", duplicateTitle: (job: string) => `Duplicate ${job}`, duplicateText: "A copy in the same file, comments included. Its schedules are switched off.",
  newName: "New name", nameRule: "1 to 64 letters, digits, - and _, beginning with a letter or digit", unsavedStays: "What you have not saved is not part of it and will be lost.",
  deleteJob: "Delete job", keepJob: "Keep job", deleteTitle: (job: string) => `Delete ${job}?`, deleteText: (file: string) => `It is taken out of ${file} and does not run any more. Its runs, logs and versions are kept.`,
  versionsOf: (job: string) => `Versions of ${job}`, noVersions: "No versions yet", noVersionsText: "A version is kept when the definition is first loaded without a problem.",
  fromFile: "from the file", current: "current", restore: (version: number) => `Restore v${version}`, restoreTitle: (version: number) => `Restore v${version}?`,
  restoreText: "The job is written as it was then. That is a new version; nothing is lost.", restoreLoses: "Your unsaved changes are replaced.", restored: (from: number, version: number) => `v${from} restored as v${version}`,
  actions: (action: string) => ACTIONS[action] ?? action, diffOf: (from: number, to: number) => `From v${from} to v${to}`, noEarlier: "There is nothing to compare it with.", noDifference: "No difference.",
  added: "added", removed: "removed", changedOnDisk: (file: string) => `${file} changed`, nothingLost: "Nothing was overwritten.", andMore: (count: number) => `and ${count} more`,
  showDiff: "Show diff", takeTheirs: "Take theirs", keepMine: "Keep mine", openedToNow: "Changed in the file", nowToMine: "What saving yours would change",
  schedule: "Schedule", when: "When", byHand: "by hand only", onlyByHand: "Only by hand or from a job", nextFires: (count: number) => `Next ${count} fires`, furtherSchedules: "Further schedules", serversZone: "the server's",
  steps: "Steps", inOrder: (count: number) => `${count}, in order`, addStep: "Add step", kindOfStep: "Kind of step", noSteps: "No steps yet", noStepsText: "A job does its steps one after the other. Add the first one.",
  moveStep: (step: string, place: number, count: number) => `Move ${step}, step ${place} of ${count}. Alt and arrow keys.`, movedTo: (step: string, place: number, count: number) => `${step} is step ${place} of ${count}`,
  cloneStep: "Clone step", deleteStep: "Delete step", moreForStep: "More step actions", moreOptions: "More options", whenItRuns: "When and how it runs", written: (count: number) => `${count} set`,
  name: "Name", nameHint: "nightly-load", file: "File", identity: "Identity", params: "Parameters", retry: "Retry", alerts: "Alerts", dependsOn: "Depends on", limits: "Limits", otherSettings: "Other settings", hasProblem: "has a problem",
  declareParams: "Declare types and choices", presets: "Presets", tagged: (tags: string) => `tags ${tags}`, off: "switched off", nothing: "none",
  tries: (count: number, backoff: string, seconds: number) => `${count} tries, ${backoff} from ${seconds} s`, onceOnly: "tried once", usualAlerts: "as the server is set", setHere: "set here",
  mustSucceed: (jobs: string) => `${jobs} must have succeeded`, noLimit: "no limit for the whole run", wholeRun: (seconds: number) => `whole run ${seconds} s`, oneAtATime: "one at a time", mayOverlap: "runs may overlap", logs: (level: string) => `log level ${level}`,
  none: "not set", choose: "choose", usually: (value: string) => `${value} (default)`, wordsHint: "one, two", newKey: (label: string) => `New key of ${label}`, newKeyHint: "key", addKey: "Add", removeKey: (key: string) => `Remove ${key}`, addItem: (label: string) => `Add to ${label.toLowerCase()}`,
  functionFound: (module: string, line: number) => `${module}, line ${line}`, functionHint: "module:function in the plugins folder", noArguments: "This function takes no arguments.",
  preview: "Preview", previewHelp: "Looks, changes nothing", readOnly: "read only", again: "Run again", closePreview: "Close preview", stepIsOff: "The step is switched off.", problemsFirst: "Mend the problems first",
  sourceNow: "Source now", targetNow: "Target now", afterStep: "After this step", rowsLost: "Rows lost", guard: "Guard", mapping: "Column mapping", column: "Column", source: "Source", target: "Target", detail: "Detail",
  exactColumns: (count: number) => (count === 1 ? "1 column, the same type" : `${count} columns, the same types`), wouldStop: (why: string) => `would stop: ${why.replace(/^guard: /, "")}`, withinGuard: "within the guard", way: (path: string) => `way: ${path}`, firstRows: "First rows", wouldDo: "would do", input: "input",
  testStep: "Test this step", testTitle: (step: string) => `Test ${step}`, testText: "The step runs for real: it writes what it writes. The run is kept apart from the job's own.", runStep: "Run the step",
  outputsOf: "Outputs of earlier steps from run", outputsOfHelp: "Only needed when this step uses them.", test: "Test", testOf: (run: string) => `Test ${run}`, closeTest: "Close test", rows: (count: number) => `${count} rows`, log: "Log", output: "output",
  both: "Both", form: "Form", panels: "Panels", writing: "writing …", inStep: "in step with the form", notInStep: "cannot be read", tomlOf: (file: string) => `TOML in ${file}`, noProblems: "No problems", commentsKept: "comments and order are kept",
  atLine: (line: number, key: string) => `Line ${line}: ${key}`, use: (value: string) => `Use ${value}`,
};

export const texts = dictionary(en, () => import("./texts.fr"));
