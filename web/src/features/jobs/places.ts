/** Addresses that belong to a job; a name may hold slashes, which stay as they are. */
const safe = (name: string) => name.split("/").map(encodeURIComponent).join("/");

export const jobPlace = (name: string) => `/nomaflow/jobs/${safe(name)}`;
export const editPlace = (name: string) => `${jobPlace(name)}/edit`;
export const runPlace = (runId: string) => `/nomaflow/runs/${runId}`;
export const runsPlace = (name: string) => `/nomaflow/runs?q=${encodeURIComponent(`job:${name}`)}`;
export const NEW_JOB = "/nomaflow/jobs/new";
export const SCHEDULE = "/nomaflow/schedule";
