/** Words of the log pane. */
import { dictionary } from "~/lib/i18n";
import { locale } from "~/lib/i18n";

const number = (value: number) => value.toLocaleString(locale("en"));

export const en = {
  log: "Log", runLog: "Run log", logOf: (run: string) => `Log of ${run}`,
  lines: (count: number) => (count === 1 ? "1 line" : `${number(count)} lines`),
  reading: (known: number, all: number) => (all === 0 ? "Reading" : `Reading ${number(known)} of ${number(all)} lines`),
  lowest: "Lowest level shown", DEBUG: "Debug", INFO: "Info", WARNING: "Warning", ERROR: "Error",
  find: "Search", search: "Search the log", searching: "Searching", none: "No match", of: (at: number, count: string) => `${at} of ${count}`,
  count: number, next: "Next match", previous: "Previous match",
  firstError: "First error", nextError: "Next error", previousError: "Previous error", follow: "Follow",
  wrap: "Wrap lines", plain: "Plain text", download: "Download log",
  following: "Following. Scroll up to stop, End to resume.", notFollowing: "Not following. Press End to go on.",
  ended: (status: string) => `The run has ended: ${status}.`,
  dropped: (count: number) => `${number(count)} lines were dropped, as the log is longer than is kept.`,
  attempt: (attempt: number, of: number) => `attempt ${attempt} of ${of}`,
  warnings: (count: number) => (count === 1 ? "1 warning" : `${number(count)} warnings`),
  errors: (count: number) => (count === 1 ? "1 error" : `${number(count)} errors`),
  live: "live", copy: "Copy", copyLines: "Copy line or selection", link: "Link", linkTo: (seq: number) => `Copy a link to line ${seq}`,
  copyLink: "Copy a link to the line", copiedLink: (seq: number) => `Link to line ${seq} copied`,
  copied: (count: number) => (count === 1 ? "1 line copied" : `${number(count)} lines copied`),
  notCopied: "Not copied", emptyTitle: "No lines yet", empty: "The run has not said anything.",
  hiddenTitle: "No line of this level", hidden: (count: number) => `${number(count)} lines are hidden.`, showAll: "Show all levels",
  failedTitle: "The log could not be read", spoken: (seq: number, level: string, text: string) => `Line ${seq}, ${level}: ${text}`,
  openStep: (step: string) => `Step ${step}`, run: "Run", runs: "Runs", jobs: "Jobs",
};

export const texts = dictionary(en, () => import("./texts.fr"));
