/** Values as one types them: `true`, `3` and `[1, 2]` are what they look like, everything else is text; quotes make text of anything. */

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/;

export function readValue(typed: string): unknown {
  const text = typed.trim();
  if (text === "true" || text === "false") return text === "true";
  if (NUMBER.test(text) && Number.isSafeInteger(Math.trunc(Number(text)))) return Number(text);
  if (/^["[{]/.test(text)) {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      return typed;
    }
  }
  return typed;
}

export function writeValue(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (typeof value !== "string") return JSON.stringify(value);
  return readValue(value) === value ? value : JSON.stringify(value);
}

/** What was typed into a field for numbers; what is none goes to the server as text, which says what is wrong with it. */
export function readNumber(typed: string): number | string | undefined {
  const text = typed.trim();
  if (text === "") return undefined;
  return NUMBER.test(text) ? Number(text) : typed;
}

export function readWords(typed: string): readonly string[] | undefined {
  const words = typed.split(",").map((word) => word.trim()).filter((word) => word !== "");
  return words.length === 0 ? undefined : words;
}

export function isToken(value: unknown): value is string {
  return typeof value === "string" && /^\$\{[^{}]*\}$/.test(value.trim());
}

const SIZES: Readonly<Record<string, number>> = { "": 1, k: 1000, m: 1_000_000, s: 1, min: 60, h: 3600, "%": 1 };

/** The number somebody meant by "10k", "5 %", "1,000" or "2 min"; null when there is none. */
export function meantNumber(text: string): number | null {
  const found = /^(-?\d[\d\s_,']*(?:\.\d+)?)\s*(k|m|s|min|h|%)?$/i.exec(text.trim());
  if (found === null) return null;
  const number = Number((found[1] ?? "").replace(/[\s_,']/g, "")) * (SIZES[(found[2] ?? "").toLowerCase()] ?? 1);
  return Number.isFinite(number) ? number : null;
}

/** A key as words: `batch_size` is "Batch size". */
export function readable(key: string): string {
  const words = key.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
