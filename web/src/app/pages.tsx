/**
 * Every page: its address, what loads it, and who is shown it. A new page is a folder in features/ and an entry here.
 * The first entry somebody may see is their start page; an entry with `nav` stands in the menu.
 */
import { lazy, type ComponentType, type LazyExoticComponent } from "react";

import { mayAnyJob, type Person } from "~/lib/rights";
import type { IconName } from "~/ui/Icon";

export interface Page {
  path: string;
  page: LazyExoticComponent<ComponentType>;
  allowed: (person: Person) => boolean;
  nav?: { text: "jobs" | "runs" | "schedule" | "settings"; icon: IconName; key: string };
}

export const PAGES: readonly Page[] = [
  {
    path: "/nomaflow",
    page: lazy(() => import("~/features/jobs/JobsPage")),
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
];
