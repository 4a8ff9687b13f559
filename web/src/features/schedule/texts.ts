/** Words of the schedule page. */
import { dictionary } from "~/lib/i18n";

const n = (count: number) => count.toLocaleString("en-GB");

export const en = {
  title: "Schedule", day: "Day", week: "Week", list: "List", view: "View", today: "Today",
  previousDay: "Previous day", nextDay: "Next day", previousWeek: "Previous week", nextWeek: "Next week",
  previous: "Earlier", next: "Later", dayView: "Day view", weekView: "Week view", listView: "List of schedules",
  filter: "Filter jobs", filterHint: "job:  app:  tag:  verdict:",
  summary: (shown: number, all: number) => (shown === all ? `${n(all)} jobs` : `${n(shown)} of ${n(all)} jobs`),
  schedules: (shown: number, all: number) => (shown === all ? `${n(all)} schedules` : `${n(shown)} of ${n(all)} schedules`),
  cut: "Only the first 500 jobs are shown. Filter by job to see others.",
  due: (count: number) => `${n(count)} due so far`, nothingDue: "Nothing was due so far", nothing: "Nothing is due in this time",
  show: (what: string) => `Show jobs with ${what}`,
  toCome: (count: number, held: number) => `${n(count)} to come${held > 0 ? `, ${n(held)} of them held back` : ""}`,
  label: "Fires by job", job: "Job", perHour: "Due per hour", atMost: (most: number) => `at most ${n(most)}`, perHourLabel: (most: number) => `Due instants by hour, at most ${n(most)}`,
  nothingCut: "not all of what is to come is counted",
  now: (clock: string) => `now ${clock}`, hoursDay: (hours: number) => `${hours} h day`,
  outage: (length: string) => `no scheduler ${length}`, down: "no scheduler", freeze: "Freeze", freezeFor: (length: string) => `Freeze, ${length}`,
  twice: (clock: string) => `${clock} comes twice`, missing: (clock: string) => `${clock} is left out`,
  atOnce: (count: number) => `${count} at once`,
  atOnceAt: (count: number, clock: string) => `${count} runs begin at ${clock}, more than may run at once`,
  lane: (job: string, text: string, counts: string) => `${job}, ${text}: ${counts}. Arrow keys move between instants, w explains.`,
  none: "no instants", of: (part: number, all: number, what: string) => `${part} of ${all} in this hour: ${what}`,
  legendPast: "Past, height is duration", legendComing: "To come", planned: "planned", late: "ran late",
  hourly: "Jobs that fire more than once an hour show one bar an hour, the worst of them.",
  nextLane: "Next job", previousLane: "Previous job", explain: "Explain",
  whyNot: "Why did it not run?", whyRan: "What became of it", whyComing: "What will happen",
  dueAt: "due", alsoDue: (count: number, part: number, what: string) => `${count} instants in this hour, ${part} of them ${what}. This is the first.`,
  severalComing: "The job fires again in this hour.", run: "Run", runFor: "Run for this instant", ran: (job: string) => `${job} runs for that instant`,
  notRun: (job: string) => `${job} was not run`, openRun: (id: string) => `Open ${id}`, copyCommand: "Copy command", close: "Close",
  heldNow: (why: string): string => (why === "frozen" ? "It would be held back by the freeze." : "It would be held back by the job's pause."),
  took: "Took", zone: "On the job's clock", explaining: "Looking it up",
  notes: "Worth knowing", crowds: "Minutes with more runs than may run at once", overlaps: "Runs that will meet their earlier run", clocks: "Clock changes",
  more: (count: number) => `${n(count)} more`,
  addFreeze: "Add freeze", frozen: "Frozen",
  emptyTitle: "No job has a schedule", empty: "Give a job a `schedule` and its instants appear here.",
  failedTitle: "The schedule could not be read",
  schedule: "Schedule", preset: "Preset", words: "In words", nextFire: "Next fire", fires: "Fires this week", zoneHead: "Time zone", off: "off", main: "main",
  nextRow: "Next schedule", previousRow: "Previous schedule", openRow: "Open job",
  days: "Day", often: (count: number) => `${n(count)} in this day`, nothingThisDay: "Nothing is due on this day.",
  longer: (count: number) => `${count} runs at once`,
};

export const texts = dictionary(en, () => import("./texts.fr"));
