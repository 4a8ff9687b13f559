/** From the served JSON schema of `jobs.toml` to fields of a form: one kind of field for each kind of value. */

export type Kind = "text" | "number" | "bool" | "choice" | "words" | "choices" | "table" | "group" | "items" | "any";

export interface Spec {
  key: string;
  kind: Kind;
  description: string;
  /** What holds when nothing is written. */
  fallback: unknown;
  choices: readonly string[];
  /** Of a group, or of each of the items. */
  fields: readonly Spec[];
  /** May also be written as one `${…}`. */
  templated: boolean;
  required: boolean;
  /** Older spellings that are read too. */
  spellings: readonly string[];
}

export interface Schema {
  $ref?: string;
  $defs?: Record<string, Schema>;
  type?: string;
  enum?: readonly string[];
  const?: string;
  anyOf?: readonly Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: readonly string[];
  pattern?: string;
  description?: string;
  default?: unknown;
  deprecated?: boolean;
}

const TOKEN = "^\\$\\{";
const CHECKED_HERE: Readonly<Record<string, Kind>> = { depends_on: "words" };

function followed(schema: Schema, root: Schema): Schema {
  if (schema.$ref === undefined) return schema;
  const found = root.$defs?.[schema.$ref.replace("#/$defs/", "")] ?? {};
  return { ...found, ...schema, description: schema.description ?? found.description ?? "" };
}

/** The plain alternatives of a value: without null, without the one that says "or a token". */
function alternatives(schema: Schema, root: Schema): { plain: readonly Schema[]; templated: boolean } {
  const here = followed(schema, root);
  if (here.anyOf === undefined) {
    if (here.type === "null") return { plain: [], templated: false };
    if (here.type === "string" && here.pattern?.startsWith(TOKEN)) return { plain: [], templated: true };
    return { plain: [here], templated: false };
  }
  const found = here.anyOf.map((one) => alternatives(one, root));
  return { plain: found.flatMap((one) => one.plain), templated: found.some((one) => one.templated) };
}

function kindOf(plain: readonly Schema[], root: Schema): { kind: Kind; of: Schema | undefined } {
  const [first] = plain;
  if (first === undefined || plain.length > 1) return { kind: "any", of: first };
  if (first.enum !== undefined) return { kind: "choice", of: first };
  if (first.type === "boolean") return { kind: "bool", of: first };
  if (first.type === "integer" || first.type === "number") return { kind: "number", of: first };
  if (first.type === "string") return { kind: "text", of: first };
  if (first.type === "array") {
    const item = first.items === undefined ? {} : followed(first.items, root);
    if (item.enum !== undefined) return { kind: "choices", of: item };
    if (item.properties !== undefined) return { kind: "items", of: item };
    return item.type === "string" ? { kind: "words", of: item } : { kind: "any", of: item };
  }
  if (first.type === "object") return first.properties === undefined ? { kind: "table", of: first } : { kind: "group", of: first };
  return { kind: "any", of: first };
}

export function specOf(key: string, schema: Schema, root: Schema): Spec {
  const here = followed(schema, root);
  const { plain, templated } = alternatives(schema, root);
  const { kind, of } = kindOf(plain, root);
  return {
    key,
    kind: CHECKED_HERE[key] ?? kind,
    description: here.description ?? "",
    fallback: here.default ?? null,
    choices: of?.enum ?? [],
    fields: (kind === "group" || kind === "items") && of !== undefined ? fieldsOf(of, root) : [],
    templated,
    required: false,
    spellings: [],
  };
}

/** Every key of a table but the ones that only spell another differently. */
export function fieldsOf(table: Schema, root: Schema): readonly Spec[] {
  const all = Object.entries(table.properties ?? {});
  return all
    .filter(([key, one]) => one.deprecated !== true && !(key === "type" && one.const !== undefined))
    .map(([key, one]) => ({
      ...specOf(key, one, root),
      required: table.required?.includes(key) ?? false,
      spellings: all.filter(([, other]) => other.deprecated === true && other.description === `Same as \`${key}\`.`).map(([alias]) => alias),
    }));
}

/** The tables of the schema: a step type, or `Job`. Unknown names have no fields. */
export function tableOf(root: Schema, name: string): readonly Spec[] {
  return fieldsOf(root.$defs?.[name] ?? {}, root);
}

export function stepTypes(root: Schema): readonly string[] {
  return Object.entries(root.$defs ?? {}).filter(([name, one]) => one.properties?.type?.const === name).map(([name]) => name);
}

/** Keys every step has: when and how it runs, not what it does. */
export const RUNNING: readonly string[] = ["enabled", "condition", "run_on", "continue_on_error", "timeout_seconds", "retry"];

/** What stands open at once; everything else waits behind "more" until it is written. */
const MAIN: Readonly<Record<string, readonly string[]>> = {
  sql_query: ["connector", "query", "fetch", "params"],
  sql_copy: ["source", "target", "mode", "batch_size"],
  python: ["callable", "op_kwargs"],
  http: ["connector", "endpoint", "url", "method", "params"],
  call_job: ["target_job", "params"],
};

export interface Parted { main: readonly Spec[]; more: readonly Spec[]; running: readonly Spec[] }

export function parted(root: Schema, type: string, step: Readonly<Record<string, unknown>>): Parted {
  const specs = tableOf(root, type).filter((one) => one.key !== "name");
  const order = MAIN[type] ?? [];
  const own = specs.filter((one) => !RUNNING.includes(one.key));
  const isOpen = (one: Spec) => order.includes(one.key) || [one.key, ...one.spellings].some((key) => key in step);
  const rank = (one: Spec) => (order.includes(one.key) ? order.indexOf(one.key) : order.length);
  return {
    main: own.filter(isOpen).sort((one, other) => rank(one) - rank(other)),
    more: own.filter((one) => !isOpen(one)),
    running: specs.filter((one) => RUNNING.includes(one.key)),
  };
}
