/** Finds the table in a step's output: a list of objects, or one such list inside an object, or columns beside rows. Pure. */

export interface Found {
  columns: readonly string[];
  rows: readonly (readonly unknown[])[];
  /** What stood beside the list. */
  rest: Readonly<Record<string, unknown>> | null;
}

const MOST_COLUMNS = 60;

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function fromList(list: readonly unknown[]): Omit<Found, "rest"> | null {
  if (list.length === 0 || !list.every(isObject)) return null;
  const columns = [...new Set(list.flatMap((row) => Object.keys(row)))];
  if (columns.length === 0 || columns.length > MOST_COLUMNS) return null;
  return { columns, rows: list.map((row) => columns.map((column) => row[column])) };
}

export function tableOf(value: unknown): Found | null {
  if (Array.isArray(value)) {
    const found = fromList(value);
    return found && { ...found, rest: null };
  }
  if (!isObject(value)) return null;
  const { columns, rows, ...rest } = value;
  if (Array.isArray(columns) && columns.every((one) => typeof one === "string") && Array.isArray(rows) && rows.length > 0 && rows.every(Array.isArray)) {
    return { columns, rows: rows as unknown[][], rest: Object.keys(rest).length > 0 ? rest : null };
  }
  const lists = Object.entries(value).filter(([, item]) => Array.isArray(item) && item.length > 0);
  const [only] = lists;
  if (lists.length !== 1 || only === undefined) return null;
  const found = fromList(only[1] as unknown[]);
  if (found === null) return null;
  const others = Object.fromEntries(Object.entries(value).filter(([key]) => key !== only[0]));
  return { ...found, rest: Object.keys(others).length > 0 ? others : null };
}
