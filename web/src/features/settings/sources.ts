/** Pools and connectors as the API tells them. The only place that reads the wire. */
import { queryOptions } from "@tanstack/react-query";

import { api, ok, type Schemas } from "~/api/client";

export type Pool = Schemas["PoolModel"];
export type PoolTest = Schemas["PoolTestModel"];
export type QueryResult = Schemas["QueryResultModel"];

export interface Param {
  name: string;
  label?: string;
  description?: string;
  type?: "string" | "integer" | "number" | "boolean" | "date" | "datetime" | string;
  default?: string | number | boolean;
  required?: boolean;
  multiple?: boolean;
}

export interface DeclaredQuery {
  name: string;
  kind: string;
  writable: boolean;
  label?: string | null;
  description?: string | null;
  params: readonly Param[];
}

export interface Endpoint {
  name: string;
  method: string;
  path: string;
  label?: string | null;
  description?: string | null;
  params: readonly Param[];
}

export interface Connector extends Omit<Schemas["ConnectorModel"], "queries" | "endpoints"> {
  queries: readonly DeclaredQuery[];
  endpoints: readonly Endpoint[];
}

const POOLS_MS = 5000;

export const poolsQuery = queryOptions({
  queryKey: ["pools"],
  refetchInterval: POOLS_MS,
  queryFn: async (): Promise<readonly Pool[]> => (await ok(api.GET("/admin/pools"))).items,
});

export const connectorsQuery = queryOptions({
  queryKey: ["connectors"],
  queryFn: async (): Promise<readonly Connector[]> => (await ok(api.GET("/admin/connectors"))).items as unknown as Connector[],
});

export const tablesQuery = (connector: string, schema: string | null, like: string) =>
  queryOptions({
    queryKey: ["tables", connector, schema, like],
    staleTime: 60_000,
    placeholderData: (before) => before,
    queryFn: () =>
      ok(api.GET("/admin/connectors/{connector}/tables", {
        params: { path: { connector }, query: { ...(schema !== null && { schema }), ...(like !== "" && { like }) } },
      })),
  });

export const columnsQuery = (connector: string, schema: string | null, table: string) =>
  queryOptions({
    queryKey: ["columns", connector, schema, table],
    staleTime: 60_000,
    queryFn: () =>
      ok(api.GET("/admin/connectors/{connector}/tables/{table}/columns", {
        params: { path: { connector, table }, query: schema === null ? {} : { schema } },
      })),
  });

export const fileQuery = queryOptions({
  queryKey: ["connectors-file"],
  queryFn: () => ok(api.GET("/admin/files/connectors")),
});

/** What was typed, as the values a query is run with: fields left empty are left out, so that defaults count. */
export function valuesOf(params: readonly Param[], typed: Readonly<Record<string, string>>): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const param of params) {
    const text = typed[param.name] ?? "";
    if (text === "") continue;
    if (param.multiple) values[param.name] = text.split("\n").map((one) => one.trim()).filter((one) => one !== "");
    else if (param.type === "boolean") values[param.name] = text === "true";
    else values[param.name] = text;
  }
  return values;
}

/** Where a line of a text begins and ends. */
export function lineSpan(text: string, line: number): readonly [number, number] {
  const lines = text.split("\n");
  const begin = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
  return [begin, begin + (lines[line - 1]?.length ?? 0)];
}
