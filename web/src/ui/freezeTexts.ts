/** Words about the freeze of all schedules. */
import { dictionary } from "~/lib/i18n";

export const en = {
  add: "Freeze schedules", title: "Freeze all schedules", verb: "Freeze", until: "Until", untilHelp: "Empty: until it is ended by hand. Your local time.",
  past: "This is in the past.", reason: "Reason", reasonHint: "core switch upgrade", what: "What falls due meanwhile",
  drop: "is not run", dropHelp: "Each instant is kept in the history as held.",
  latest: "runs once, the latest of each schedule", latestHelp: "When the freeze ends.",
  all: "runs, every instant of it", allHelp: "One after another, when the freeze ends.",
  help: "Runs that are going, and runs started by hand, are not touched.",
  frozen: "Schedules are frozen", by: (who: string) => `by ${who}`, openEnd: "until it is ended", untilWord: "until", thenDropped: "What falls due meanwhile is not run.", thenRunsLatest: "When it ends, the latest instant of each schedule runs.", thenRunsAll: "When it ends, every instant that fell due runs.", end: "End the freeze",
  endTitle: "End the freeze?", endVerb: "End freeze", keep: "Keep frozen",
  thenDrop: "What fell due meanwhile is not run.", thenLatest: "The latest instant of each schedule runs now.", thenAll: "Every instant that fell due runs now.",
  nextFires: "Schedules fire again from now on.", done: "All schedules are frozen", ended: "Schedules fire again", failed: "Nothing was changed",
};

export const texts = dictionary(en, () => import("./freezeTexts.fr"));
