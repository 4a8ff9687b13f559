/** What keys are called in the form: made from the key itself, in French by a list; a key that is on none keeps its name. */
import { labels } from "~/features/builder/labelTexts";
import { useTexts } from "~/lib/i18n";

export function useLabel(key: string): string {
  const t = useTexts(labels);
  return t.label(key);
}

/** What a choice of that key means, where its word alone says little. */
export function useChoices(key: string): (value: string) => string {
  const t = useTexts(labels);
  return (value) => t.choice(key, value);
}
