/** Words of the shell. */
import { dictionary } from "~/lib/i18n";

export const en = {
  jobs: "Jobs", runs: "Runs", schedule: "Schedule", settings: "Settings",
  main: "Main", skip: "Skip to content", keys: "Keyboard shortcuts", signOut: "Sign out",
  palette: "Find a job, a run id, a command", paletteLabel: "Search or run a command", openPalette: "Command palette",
  theme: (name: string) => `Theme: ${name}`, auto: "as the system", light: "light", dark: "dark", nextTheme: "Switch theme",
  account: (name: string) => `Account: ${name}`, signedInAs: (name: string) => `Signed in as ${name}`,
  language: "Language: Français", singleKeys: "Single-key shortcuts", singleKeysHelp: "Off: only keys with Ctrl act.",
  nothing: "Nothing found", pages: "Page", job: "Job", run: "Run", command: "Command", openRun: (id: string) => `Open run ${id}`,
  lost: (at: string) => `Not connected, showing ${at}`, lostHelp: "Live updates stopped. Times keep counting, numbers do not.",
  reconnect: "Reconnect", goTo: (page: string) => `Go to ${page}`,
  broken: "This page has a fault", newVersion: "Nomaflow was updated. Load the page again.", reload: "Load again",
  noRights: "You are signed in, but no role of yours lets you see a page. Ask an administrator.",
};

export const texts = dictionary(en, () => import("./texts.fr"));
