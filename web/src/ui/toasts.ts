/** Short words about what was just done. `toast.ok("Saved")`; errors stay until they are dismissed. */
import { store } from "~/lib/store";

export interface Toast {
  id: number;
  tone: "ok" | "bad" | "run";
  title: string;
  text?: string;
  action?: { label: string; run: () => void };
}

const STAYS_MS = 6000;
const MOST = 4;
let last = 0;

export const toasts = store<readonly Toast[]>([]);

export function dismiss(id: number): void {
  toasts.set(toasts.get().filter((one) => one.id !== id));
}

function add(tone: Toast["tone"], title: string, more: Omit<Toast, "id" | "tone" | "title"> = {}): void {
  const id = ++last;
  toasts.set([...toasts.get(), { id, tone, title, ...more }].slice(-MOST));
  if (tone !== "bad") setTimeout(() => dismiss(id), STAYS_MS);
}

export const toast = {
  ok: (title: string, more?: Omit<Toast, "id" | "tone" | "title">) => add("ok", title, more),
  run: (title: string, more?: Omit<Toast, "id" | "tone" | "title">) => add("run", title, more),
  /** From anything that was thrown. */
  failed: (title: string, error: unknown) =>
    add("bad", title, { text: error instanceof Error ? error.message : String(error) }),
};
