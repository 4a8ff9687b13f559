/** Words of the shared parts. */
import { dictionary } from "~/lib/i18n";

export const en = {
  // status words, as the API writes them
  queued: "queued", running: "running", aborting: "aborting", succeeded: "succeeded", failed: "failed",
  "partial-success": "partial-success", aborted: "aborted", skipped: "skipped",
  up: "Up", late: "Late", failing: "Failing", paused: "Paused", quarantined: "Quarantined", manual: "Manual only",
  frozen: "Frozen", disabled: "Disabled", "never-due": "Never due", scheduled: "Scheduled",
  "ran-late": "ran late", "caught-up": "caught up", missed: "missed", held: "held", due: "due, not started",
  unknown: "unknown",
  close: "Close", cancel: "Cancel", copy: "Copy", copied: "Copied", loading: "Loading",
  tryAgain: "Try now", copyDetails: "Copy details", failedTitle: "This could not be read",
  noAnswer: "The server does not answer. It may be restarting, or the network is away.",
  forbiddenTitle: "Nothing here for you",
  forbidden: "This page does not exist, or your roles do not include it. Ask an administrator.",
  toJobs: "Back to the start page",
  filter: "Filter", removeFilter: (what: string) => `Remove filter ${what}`,
  nothingMatches: (what: string) => `Nothing matches ${what}`,
  hidden: (count: number) => (count === 1 ? "1 is hidden by this filter." : `${count} are hidden by this filter.`),
  clearAll: "Clear all", drop: (what: string) => `Drop ${what}`,
  strip: (job: string, count: number, counts: string) => `${job}, last ${count} due instants: ${counts}`,
  noInstants: (job: string) => `${job}: no due instants yet`,
  together: (count: number) => `${count} instants in a row`, suggestions: "Suggestions",
  saved: "Saved filters", saveFilter: "Save this filter", savedName: "Name", save: "Save", forget: (name: string) => `Forget ${name}`,
  more: (count: number) => `${count} more`, expand: "Open", collapse: "Fold",
  dismiss: "Dismiss", selectAll: "Select all", select: (what: string) => `Select ${what}`,
};

export const texts = dictionary(en, () => import("./texts.fr"));
