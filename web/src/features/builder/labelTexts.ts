/** Names of keys in both languages. */
import { readable } from "~/features/builder/values";
import { dictionary } from "~/lib/i18n";

const ENGLISH: Readonly<Record<string, string>> = {
  timezone: "Time zone", catchup: "If a fire was missed", catchup_window_seconds: "Catch up at most, seconds",
  timeout_seconds: "Time limit, seconds", depends_on: "Depends on", run_on: "Runs", op_kwargs: "Arguments", url: "URL",
  target_job: "Job to run", base_seconds: "First wait, seconds", max_delay_seconds: "Longest wait, seconds",
  max_delete_pct: "Most rows deleted, %", min_rows: "Fewest rows", max_rows: "Most rows", single_instance: "One run at a time",
  retry_on: "Tried again after", attempts: "Tries", callable: "Function", where: "Condition (where)", isolate: "Own process",
  on_long_run_minutes: "Longer than, minutes", late_after_minutes: "Late after, minutes", expected_statuses: "Expected status codes",
};

const CHOICES: Readonly<Record<string, string>> = {
  "catchup.latest": "run the latest one", "catchup.all": "run all of them", "catchup.none": "let it go",
  "overlap.skip": "skip the new run", "overlap.queue": "wait in the queue", "overlap.replace": "abort the running one",
  "run_on.success": "after success so far", "run_on.failure": "only after a failure", "run_on.always": "in any case",
  "fetch.all": "all rows", "fetch.first": "the first row", "fetch.none": "only the count",
  "isolate.none": "no", "isolate.process": "yes",
};

export const en = {
  choice: (key: string, value: string) => CHOICES[`${key}.${value}`] ?? value,
  label: (key: string) => ENGLISH[key] ?? readable(key),
};

export const labels = dictionary(en, () => import("./labelTexts.fr"));
