/** Words of the pages about pools and connectors. */
import { dictionary } from "~/lib/i18n";

const n = (count: number) => count.toLocaleString("en-GB");

export const en = {
  pools: "Pools", connectors: "Connectors", failedTitle: "This could not be read",
  poolsHelp: "Counts are those of this process.", noPools: "No pools", noPoolsHelp: "Declare [pools.<name>] in connectors.toml.",
  up: "up", full: "full", notOpened: "not opened yet", unusable: "unusable",
  inUse: "in use", idle: "idle", openOf: (open: number, limit: number | null) => (limit === null ? `${open} open` : `${open} of ${limit} open`),
  settings: (size: number | null, overflow: number | null) => `${size ?? "–"} kept, ${overflow ?? "–"} more when needed`,
  timeout: (seconds: number) => `waits ${seconds} s for a connection`, maxRuns: (runs: number) => (runs === 1 ? "1 run at once" : `${n(runs)} runs at once`), maxRows: (rows: number) => `${n(rows)} rows at most`,
  jobs: (count: number) => (count === 1 ? "1 job uses it" : `${n(count)} jobs use it`), unused: "no job names it",
  test: "Test", testPool: (pool: string) => `Test ${pool}`, answered: (ms: string) => `answered in ${ms}`, refused: "did not answer",
  reload: "Reload", reloadPool: (pool: string) => `Reload ${pool}`, reloadTitle: (pool: string) => `Reload pool ${pool}?`,
  reloadText: "Its connections are closed; those in use when they come back. New ones are made when they are asked for. Nothing that runs is disturbed.",
  reloadVerb: "Reload pool", keep: "Leave it", reloaded: (pool: string) => `${pool} was reloaded`, notReloaded: (pool: string) => `${pool} was not reloaded`,
  notTested: (pool: string) => `${pool} could not be tested`,
  // connectors
  list: "Connectors", file: "connectors.toml", noConnectors: "No connectors", noConnectorsHelp: "Declare [connectors.<name>] in connectors.toml.",
  choose: "Choose a connector to see what it declares.", gone: (name: string) => `There is no connector ${name}.`,
  sql: "SQL", api: "API", broken: "cannot be used", queries: "Queries", endpoints: "Endpoints", tables: "Tables", pool: "Pool", address: "Address", sign: "Sign-in", nothing: "It declares none.",
  search: "Find a connector", count: (shown: number, all: number) => (shown === all ? n(all) : `${n(shown)} of ${n(all)}`),
  reads: "reads", writes: "writes", params: "Parameters", noParams: "No parameters", required: "required", default_: (value: string) => `default ${value}`,
  run: "Run query", running: "Running", rows: "Rows to show", onPool: "On pool", rowsFound: (count: number, ms: string) => `${count === 1 ? "1 row" : `${n(count)} rows`} in ${ms}`, more: "There are more rows.",
  noRows: "No rows.", result: "Result", notRun: "The query was not run", null_: "null", onlyReads: "Only queries that read can be run here.", listHelp: "Several values: one per line.", isTrue: "true",
  schema: "Schema", findTable: "Find a table", table: "table", view: "view", tablesFound: (count: number) => (count === 1 ? "1 table" : `${n(count)} tables`), noTables: "No table of that name.",
  cut: "Only the first 2,000 are listed. Type a part of the name.", columns: (table: string) => `Columns of ${table}`, column: "Column", type: "Type", nullable: "May be null", key: "Key", yes: "yes", chooseTable: "Choose a table to see its columns.",
  // the file
  fileLabel: "Text of connectors.toml", checking: "Checking", good: "Nothing is wrong", problems: (count: number) => (count === 1 ? "1 problem" : `${n(count)} problems`),
  line: (number: number) => `line ${number}`, save: "Save", saved: "connectors.toml is saved and loaded", notSaved: "Nothing was saved", unchanged: "No changes", changed: "Not saved yet", discard: "Discard changes",
  secrets: "*** stands for a secret: leave it to keep it, write over it to change it. A new secret is encrypted as it is saved.",
  conflict: "The file was changed on disk since you opened it.", takeTheirs: "Load the file", takeMine: "Save mine over it", goTo: "Go to the line",
};

export const texts = dictionary(en, () => import("./sourceTexts.fr"));
