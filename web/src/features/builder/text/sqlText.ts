/** Which tables a statement names, and how it calls them: enough to offer their columns. */

export interface Named { schema: string | null; table: string; alias: string | null }

const AFTER = /\b(?:from|join|update|into)\s+(?:(\w+)\.)?(\w+)(?:\s+(?:as\s+)?(\w+))?/gi;
const NO_ALIAS = new Set(["where", "on", "join", "left", "right", "inner", "outer", "full", "cross", "group", "order", "set", "values", "using", "limit", "union", "having", "select", "natural"]);

export function tablesIn(statement: string): readonly Named[] {
  const found: Named[] = [];
  for (const [, schema, table, alias] of statement.matchAll(AFTER)) {
    if (table === undefined || NO_ALIAS.has(table.toLowerCase())) continue;
    found.push({ schema: schema ?? null, table, alias: alias === undefined || NO_ALIAS.has(alias.toLowerCase()) ? null : alias });
  }
  return found;
}
