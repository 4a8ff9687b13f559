/** The log pane for pages that show one: features do not import each other, so it is put in from here. */
import { lazy, type ComponentType } from "react";

interface Props {
  runId: string;
  live: boolean;
  className?: string;
}

const [load] = Object.values(import.meta.glob<{ default: ComponentType<Props> }>("../features/log/LogPane.tsx"));

/** Nothing where the pane is not part of this build. */
export const Log = load === undefined ? {} : { Log: lazy(load) };
