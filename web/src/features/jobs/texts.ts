/** Words of the jobs page. */
import { dictionary } from "~/lib/i18n";

export const en = {
  title: "Jobs", live: "Live", label: "Jobs", byState: "Jobs by state", all: "All",
  state: "State", job: "Job", strip: "Last 60 due instants", schedule: "Schedule", lastAndNext: "Last and next",
  on: "On", actions: "Actions", last: "Last", next: "Next", steps: (count: number) => (count === 1 ? "1 step" : `${count} steps`),
  noSchedule: "No schedule", byHand: "by hand or from a job",
  filter: "Filter jobs", filterHint: "state:  tag:  app:",
  summary: (shown: number, all: number) => (shown === all ? `${all} jobs` : `${shown} of ${all} jobs`),
  reload: "Reload files", reloaded: (jobs: number) => `Reloaded: ${jobs} jobs`,
  runNow: (job: string) => `Run ${job} now`, run: "Run now", started: (id: string) => `${id} started`,
  startedSkipped: (id: string) => `${id} was skipped`, abort: (job: string) => `Abort ${job}`,
  enabled: (job: string) => `${job} enabled`, on_: (job: string) => `${job} is on`, off: (job: string) => `${job} is off`,
  refused: (job: string) => `${job} was left as it was`, notStarted: (job: string) => `${job} did not start`,
  quarantineHelp: "The job does not fire until this is fixed.",
  emptyTitle: "No jobs yet", empty: "Put a jobs.toml in the apps folder, or start with --demo.",
  running: (count: number) => (count === 1 ? "1 run in flight" : `${count} runs in flight`),
  nextRow: "Next job", previousRow: "Previous job", openRow: "Open job", failedTitle: "The jobs could not be read",
  until: "until",
};

export const texts = dictionary(en, () => import("./texts.fr"));
