/**
 * The one client of the API, typed by its own OpenAPI document.
 *
 *   const jobs = useQuery({ queryKey: ["jobs"], queryFn: () => ok(api.GET("/admin/jobs")) });
 *
 * Changes carry the session's token; a 401 is told to whoever listens to `signedOut`.
 */
import createClient, { type Middleware } from "openapi-fetch";

import type { components, paths } from "~/api/schema";
import { base } from "~/lib/base";
import { store } from "~/lib/store";

export type Schemas = components["schemas"];
export type Problem = Schemas["ProblemDocument"];

/** What the server answered instead of the thing asked for; `status` is 0 when it did not answer at all. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly problems: readonly Schemas["ProblemItem"][] = [],
  ) {
    super(message);
    this.name = "ApiError";
  }
}

/** The token that changes must carry; `GET /auth/me` tells it. */
export const csrf = store<string>("");
/** Where a 401 is an answer like any other. */
const ASKS_WHO: readonly string[] = ["/auth/session", "/auth/me"];
/** Counts how often a request was answered 401. */
export const signedOut = store<number>(0);

const carry: Middleware = {
  onRequest({ request }) {
    request.headers.set("X-Liberty-Client", "ui");
    if (request.method !== "GET") request.headers.set("X-CSRF-Token", csrf.get());
    return request;
  },
  onResponse({ response, schemaPath }) {
    if (response.status === 401 && !ASKS_WHO.includes(schemaPath)) signedOut.set(signedOut.get() + 1);
  },
  onError: () => new ApiError(0, "no_answer", "The server does not answer."),
};

export const api = createClient<paths>({
  baseUrl: base,
  credentials: "same-origin",
  // A name of a job may hold slashes, which the server's route takes as they are.
  pathSerializer: (path, values) =>
    path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(values[name])).replaceAll("%2F", "/")),
});
api.use(carry);

function asError(status: number, body: unknown): ApiError {
  const problem = (typeof body === "object" ? body : null) as Partial<Problem> | null;
  const detail = problem?.detail ?? (status === 0 ? "The server does not answer." : `The server answered ${status}.`);
  return new ApiError(status, problem?.code ?? "error", detail, problem?.problems ?? []);
}

/** The data of an answer. Throws ApiError. */
export async function ok<T>(answer: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await answer;
  if (!response.ok) throw asError(response.status, error);
  return data as T;
}
