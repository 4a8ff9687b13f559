/**
 * Every page: its address, what loads it, and who is shown it. A new page is a folder in features/ and an entry here.
 * The first entry somebody may see is their start page; an entry with `nav` stands in the menu.
 */
import { lazy, type ComponentType, type LazyExoticComponent } from "react";

import { base } from "~/lib/base";
import { may, mayAnyJob, type Person } from "~/lib/rights";
import type { IconName } from "~/ui/Icon";

export interface Page {
  path: string;
  page: LazyExoticComponent<ComponentType>;
  allowed: (person: Person) => boolean;
  nav?: { text: "jobs" | "runs" | "schedule" | "settings"; icon: IconName; key: string };
}

/** Any of these opens a page of the settings. */
const SETTINGS = ["settings:technical", "monitoring:view", "settings:connectors", "settings:jobs"];
const BuilderPage = lazy(() => import("~/features/builder/BuilderPage"));
const mayEditJobs = (person: Person) => may(person, "settings:jobs");

const jobs = () => import("~/features/jobs/JobsPage");
// Where most people begin: on its way before it is known who they are.
if (["", "/", "/nomaflow"].includes(window.location.pathname.slice(base.length))) void jobs();

export const PAGES: readonly Page[] = [
  {
    path: "/nomaflow",
    page: lazy(jobs),
    allowed: mayAnyJob,
    nav: { text: "jobs", icon: "list", key: "g j" },
  },
  {
    path: "/nomaflow/runs",
    page: lazy(() => import("~/app/RunsWithLog")),
    allowed: mayAnyJob,
    nav: { text: "runs", icon: "runs", key: "g r" },
  },
  { path: "/nomaflow/runs/compare", page: lazy(() => import("~/features/runs/run/ComparePage")), allowed: mayAnyJob },
  { path: "/nomaflow/runs/:runId", page: lazy(() => import("~/app/RunWithLog")), allowed: mayAnyJob },
  {
    path: "/nomaflow/schedule",
    page: lazy(() => import("~/features/schedule/SchedulePage")),
    allowed: mayAnyJob,
    nav: { text: "schedule", icon: "cal", key: "g s" },
  },
  {
    path: "/settings",
    page: lazy(() => import("~/features/settings/SettingsPage")),
    allowed: (person) => SETTINGS.some((permission) => may(person, permission)),
    nav: { text: "settings", icon: "cog", key: "g t" },
  },
  {
    path: "/settings/technical",
    page: lazy(() => import("~/features/settings/TechnicalPage")),
    allowed: (person) => may(person, "settings:technical") || may(person, "monitoring:view"),
  },
  {
    path: "/settings/pools",
    page: lazy(() => import("~/features/settings/PoolsPage")),
    allowed: (person) => may(person, "settings:connectors") || may(person, "settings:technical"),
  },
  {
    path: "/settings/connectors",
    page: lazy(() => import("~/features/settings/ConnectorsPage")),
    allowed: (person) => may(person, "settings:connectors") || may(person, "settings:jobs"),
  },
  { path: "/nomaflow/jobs/new", page: BuilderPage, allowed: mayEditJobs },
  { path: "/nomaflow/jobs/:name/edit", page: BuilderPage, allowed: mayEditJobs },
  {
    // A name may hold slashes; the editor's addresses below it are more exact, so they win.
    path: "/nomaflow/jobs/*",
    page: lazy(() => import("~/features/jobs/JobPage")),
    allowed: mayAnyJob,
  },
  { path: "/nomaflow/runs/:runId/log", page: lazy(() => import("~/features/log/LogPage")), allowed: mayAnyJob },
];
