/** Light, dark or the system's; and Mantine's variables set to the design's tokens. */
import { createTheme, type CSSVariablesResolver, type MantineColorsTuple, type MantineColorSchemeManager } from "@mantine/core";

import { remember, remembered } from "~/lib/storage";
import { store } from "~/lib/store";

export type Scheme = "auto" | "light" | "dark";

function chosen(): Scheme {
  const saved = remembered("theme");
  return saved === "light" || saved === "dark" ? saved : "auto";
}

export const scheme = store<Scheme>(chosen());

export function setScheme(next: Scheme): void {
  if (next === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = next;
  remember("theme", next === "auto" ? null : next);
  scheme.set(next);
}

export const NEXT_SCHEME: Readonly<Record<Scheme, Scheme>> = { auto: "light", light: "dark", dark: "auto" };

export const schemeManager: MantineColorSchemeManager = {
  get: () => scheme.get(),
  set: (value) => setScheme(value),
  subscribe: () => {},
  unsubscribe: () => {},
  clear: () => setScheme("auto"),
};

const cobalt: MantineColorsTuple = [
  "#e7eefc", "#cfdcf8", "#a6c0ff", "#86aaff", "#5a8dff", "#2f6ae0", "#2456c4", "#1f4eb4", "#1c479f", "#182642",
];

export const theme = createTheme({
  fontFamily: "var(--font)",
  fontFamilyMonospace: "var(--mono)",
  headings: { fontFamily: "var(--font)" },
  defaultRadius: 4,
  primaryColor: "cobalt",
  primaryShade: 6,
  colors: { cobalt },
  fontSizes: { xs: "11px", sm: "13px", md: "13px", lg: "15px", xl: "20px" },
});

const tokens = {
  "--mantine-color-body": "var(--surface)",
  "--mantine-color-text": "var(--text)",
  "--mantine-color-dimmed": "var(--text-3)",
  "--mantine-color-placeholder": "var(--text-3)",
  "--mantine-color-anchor": "var(--accent)",
  "--mantine-color-error": "var(--bad-fg)",
  "--mantine-color-default": "var(--surface)",
  "--mantine-color-default-hover": "var(--hover)",
  "--mantine-color-default-color": "var(--text)",
  "--mantine-color-default-border": "var(--control)",
  "--mantine-primary-color-filled": "var(--accent)",
  "--mantine-primary-color-filled-hover": "var(--accent-hi)",
  "--mantine-primary-color-contrast": "var(--on-accent)",
  "--mantine-primary-color-light": "var(--accent-soft)",
};

export const resolver: CSSVariablesResolver = () => ({ variables: {}, light: tokens, dark: tokens });
