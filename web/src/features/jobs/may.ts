/** What one may do to which row: what is not there is not offered. */
import { useRights } from "~/api/me";
import type { Row } from "~/features/jobs/row";

type Named = Pick<Row, "name" | "app">;

export function useMay() {
  const { may, mayJob } = useRights();
  const edit = may("settings:jobs");
  return {
    edit,
    reload: edit || may("settings:reload"),
    run: (row: Named) => mayJob("run", row.name, row.app),
    abort: (row: Named) => mayJob("abort", row.name, row.app),
  };
}

export const isRunning = (row: Row) => row.state === "running" || row.state === "aborting";
/** A quarantined job has no definition to run or to switch. */
export const isSound = (row: Row) => row.state !== "quarantined";
