/** The list of jobs, which several pages need: the jobs page, the palette, pickers. */
import { queryOptions } from "@tanstack/react-query";

import { api, ok, type Schemas } from "~/api/client";

export type Job = Schemas["JobModel"];

export const jobsQuery = queryOptions({
  queryKey: ["jobs"],
  queryFn: async (): Promise<readonly Job[]> => (await ok(api.GET("/admin/jobs"))).items,
});
