/** Filters somebody keeps by name, in this browser: each page has its own. */
import { remember, remembered } from "~/lib/storage";

export interface SavedFilter {
  name: string;
  filter: string;
}

const MOST = 20;
const place = (page: string) => `filters-${page}`;

/** Storage may hold anything: what is not a list of filters is none. */
export function savedFilters(page: string): readonly SavedFilter[] {
  try {
    const found: unknown = JSON.parse(remembered(place(page)) ?? "[]");
    if (!Array.isArray(found)) return [];
    return found.filter((one): one is SavedFilter => typeof one?.name === "string" && typeof one?.filter === "string");
  } catch {
    return [];
  }
}

/** The same name again replaces. */
export function saveFilter(page: string, name: string, filter: string): readonly SavedFilter[] {
  return write(page, [...savedFilters(page).filter((one) => one.name !== name), { name, filter }]);
}

export function forgetFilter(page: string, name: string): readonly SavedFilter[] {
  return write(page, savedFilters(page).filter((one) => one.name !== name));
}

function write(page: string, filters: readonly SavedFilter[]): readonly SavedFilter[] {
  const kept = filters.slice(-MOST);
  remember(place(page), kept.length === 0 ? null : JSON.stringify(kept));
  return kept;
}
