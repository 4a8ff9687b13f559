/** Small settings of this browser. Storage that is switched off or full is no error: nothing is remembered then. */

const PREFIX = "nomaflow-";

export function remembered(name: string): string | null {
  try {
    return localStorage.getItem(PREFIX + name);
  } catch {
    return null;
  }
}

export function remember(name: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, value);
  } catch {
    // Forgotten at the next visit.
  }
}
