/** One line for each folded section: what holds. */
import { isTable, valueAt } from "~/features/builder/paths";
import type { en } from "~/features/builder/texts";
import { writeValue } from "~/features/builder/values";

export type SectionName = "identity" | "params" | "retry" | "alerts" | "dependsOn" | "limits";

export function summaries(form: unknown, t: typeof en): Readonly<Record<SectionName, string>> {
  const at = (...path: string[]) => valueAt(form, path);
  const words = (value: unknown) => (Array.isArray(value) ? value.map(String).join(", ") : value == null ? "" : String(value));
  const tags = words(at("tags"));
  const params = at("params");
  const listed = Array.isArray(params)
    ? params.map((one) => String(valueAt(one, ["name"])))
    : isTable(params) ? Object.entries(params).map(([key, value]) => `${key} ${writeValue(value)}`) : [];
  const attempts = Number(at("retry", "attempts") ?? 1);
  const recipients = words(at("alerts", "recipients"));
  const seconds = at("timeout_seconds");
  const alone = at("single_instance") !== false;
  return {
    identity: [at("app"), tags && t.tagged(tags), at("enabled") === false && t.off].filter(Boolean).join(", "),
    params: listed.length === 0 ? t.nothing : listed.join(", "),
    retry: attempts > 1 ? t.tries(attempts, String(at("retry", "backoff") ?? "fixed"), Number(at("retry", "base_seconds") ?? 60)) : t.onceOnly,
    alerts: at("alerts") === undefined ? t.usualAlerts : recipients === "" ? t.setHere : recipients,
    dependsOn: words(at("depends_on")) === "" ? t.nothing : t.mustSucceed(words(at("depends_on"))),
    limits: [seconds == null ? t.noLimit : t.wholeRun(Number(seconds)), alone ? t.oneAtATime : t.mayOverlap, t.logs(String(at("log_level") ?? "INFO"))].join(", "),
  };
}
