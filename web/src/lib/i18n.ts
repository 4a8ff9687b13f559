/**
 * English and French without a library: a dictionary is a plain typed object, one file per feature and language.
 *
 *   features/jobs/texts.ts      export const en = { title: "Jobs" };
 *                               export const texts = dictionary(en, () => import("./texts.fr"));
 *   features/jobs/texts.fr.ts   const fr: Translation<typeof en> = { title: "Tâches" }; export default fr;
 *   a component                 const t = useTexts(texts); … t.title
 *
 * French is loaded when it is first needed; a key that is missing there does not compile.
 */
import { use } from "react";

import { remember, remembered } from "~/lib/storage";
import { store, useStore } from "~/lib/store";

export type Language = "en" | "fr";
export const LANGUAGES: Readonly<Record<Language, string>> = { en: "English", fr: "Français" };

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- texts with values take whatever they declare
type Text = string | ((...values: any[]) => string);
type Texts = Readonly<Record<string, Text>>;

export interface Dictionary<T extends Texts> {
  en: T;
  french(): Promise<T>;
}
export type Translation<T> = { readonly [Key in keyof T]: T[Key] };

const registered = new Set<Dictionary<Texts>>();
export const language = store<Language>(preferred());

function preferred(): Language {
  const chosen = remembered("language");
  if (chosen === "en" || chosen === "fr") return chosen;
  return navigator.language.toLowerCase().startsWith("fr") ? "fr" : "en";
}

export function dictionary<T extends Texts>(en: T, load: () => Promise<{ default: T }>): Dictionary<T> {
  let loading: Promise<T> | null = null;
  const made: Dictionary<T> = {
    en,
    french: () => (loading ??= load().then((module) => module.default)),
  };
  registered.add(made as unknown as Dictionary<Texts>);
  return made;
}

export function useTexts<T extends Texts>(texts: Dictionary<T>): T {
  return useStore(language) === "fr" ? use(texts.french()) : texts.en;
}

/** Switches once every dictionary in use is there, so that nothing flashes. */
export async function setLanguage(next: Language): Promise<void> {
  if (next === "fr") await Promise.all([...registered].map((one) => one.french()));
  remember("language", next);
  document.documentElement.lang = next;
  language.set(next);
}

/** For `Intl`. English dates are written the British way: 22 Nov 2026, 14:07. */
export function locale(of: Language = language.get()): string {
  return of === "fr" ? "fr-FR" : "en-GB";
}

document.documentElement.lang = language.get();
