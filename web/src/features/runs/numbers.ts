/** Numbers with the separators of the chosen language. */
import { locale } from "~/lib/i18n";

export function number(value: number): string {
  return value.toLocaleString(locale());
}

/** "+12 %", "−3 %": how far `now` is from `before`; null where nothing can be said. */
export function change(before: number | null, now: number | null): string | null {
  if (before === null || now === null || before === 0 || before === now) return null;
  const part = Math.round(((now - before) / before) * 100);
  if (part === 0) return null;
  return `${part > 0 ? "+" : "−"}${number(Math.abs(part))} %`;
}
