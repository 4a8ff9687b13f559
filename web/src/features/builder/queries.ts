/** What the builder asks the server for. */
import { queryOptions, useQuery } from "@tanstack/react-query";

import { api, ok, type Schemas } from "~/api/client";
import type { Schema } from "~/features/builder/form/schema";
import type { Asked, Draft } from "~/features/builder/session";

export type Definition = Schemas["DefinitionModel"];
export type Connector = Schemas["ConnectorModel"];
export type Callable = Schemas["CallableModel"];

export const definitionQuery = (name: string) =>
  queryOptions({
    queryKey: ["definition", name],
    queryFn: () => ok(api.GET("/admin/jobs/{name}/definition", { params: { path: { name } } })),
  });

export const schemaQuery = queryOptions({
  queryKey: ["jobs-schema"],
  staleTime: Infinity,
  queryFn: async (): Promise<Schema> => (await ok(api.GET("/admin/schema/jobs.json"))) as Schema,
});

export const jobFilesQuery = queryOptions({
  queryKey: ["job-files"],
  queryFn: async () => (await ok(api.GET("/admin/job-files"))).items,
});

export const callablesQuery = queryOptions({
  queryKey: ["callables"],
  queryFn: async (): Promise<readonly Callable[]> => (await ok(api.GET("/admin/jobs/callables"))).items,
});

export const connectorsQuery = queryOptions({
  queryKey: ["connectors"],
  queryFn: async (): Promise<readonly Connector[]> => (await ok(api.GET("/admin/connectors"))).items,
});

export const tablesQuery = (connector: string, schema: string | null) =>
  queryOptions({
    queryKey: ["tables", connector, schema],
    staleTime: 60_000,
    retry: false,
    queryFn: () =>
      ok(api.GET("/admin/connectors/{connector}/tables", { params: { path: { connector }, query: schema === null ? {} : { schema } } })),
  });

export const columnsQuery = (connector: string, table: string, schema: string | null) =>
  queryOptions({
    queryKey: ["columns", connector, schema, table],
    staleTime: 60_000,
    retry: false,
    queryFn: async () =>
      (await ok(
        api.GET("/admin/connectors/{connector}/tables/{table}/columns", {
          params: { path: { connector, table }, query: schema === null ? {} : { schema } },
        }),
      )).items,
  });

export const previewQuery = (schedule: string, timezone: string | null, count: number) =>
  queryOptions({
    queryKey: ["cron-preview", schedule, timezone, count],
    retry: false,
    queryFn: () => ok(api.GET("/admin/jobs/cron-preview", { params: { query: { schedule, timezone, count } } })),
  });

export const versionsQuery = (name: string) =>
  queryOptions({
    queryKey: ["versions", name],
    queryFn: async () => ok(api.GET("/admin/jobs/{name}/versions", { params: { path: { name }, query: { limit: 200 } } })),
  });

export function asking(name: string | null, file: () => string | null): (asked: Asked) => Promise<Draft> {
  return ({ toml, changes }) =>
    ok(
      api.POST("/admin/drafts", {
        body: { toml, name, file: file(), changes: changes.map((one) => ({ ...one, path: [...one.path], to: one.to ?? null })) },
      }),
    );
}

/** The connectors by name; none while they are read. */
export function useConnectors(): readonly Connector[] {
  return useQuery(connectorsQuery).data ?? [];
}
