/** What the pane asks the server. */
import { api, ok, type Schemas } from "~/api/client";
import { DEBUG, LEVELS, type Level } from "~/features/log/shape";
import { base } from "~/lib/base";

export type Step = Schemas["StepModel"];

export function askShape(runId: string, cursor: string): Promise<Schemas["LogShapeModel"]> {
  return ok(api.GET("/admin/jobs/runs/{run_id}/logs/shape", { params: { path: { run_id: runId }, query: { cursor } } }));
}

export function askRun(runId: string): Promise<Schemas["RunDetailModel"]> {
  return ok(api.GET("/admin/jobs/runs/{run_id}", { params: { path: { run_id: runId } } }));
}

/** Lines of `min` and graver, numbered above `since`. */
export function askLines(runId: string, since: number, limit: number, min: Level): Promise<Schemas["LogPageModel"]> {
  const query = { since, limit, ...(min > DEBUG && { level: LEVELS[min] }) };
  // The document names other kinds of answer too, for other headers.
  const answer: Promise<unknown> = ok(api.GET("/admin/jobs/runs/{run_id}/logs", { params: { path: { run_id: runId }, query } }));
  return answer as Promise<Schemas["LogPageModel"]>;
}

export function askMatches(runId: string, text: string, cursor: string, limit: number, min: Level): Promise<Schemas["LogMatchesModel"]> {
  const query = { q: text, cursor, limit, ...(min > DEBUG && { level: LEVELS[min] }) };
  return ok(api.GET("/admin/jobs/runs/{run_id}/logs/search", { params: { path: { run_id: runId }, query } }));
}

/** The address of the log as text: to look at, or to keep. */
export function textAddress(runId: string, form: "text" | "file"): string {
  return `${base}/admin/jobs/runs/${encodeURIComponent(runId)}/logs?form=${form}`;
}

/** The page that opens at a line, as it is sent to a colleague. */
export function lineAddress(runId: string, seq: number): string {
  return `${location.origin}${base}/nomaflow/runs/${encodeURIComponent(runId)}/log#L${seq}`;
}
