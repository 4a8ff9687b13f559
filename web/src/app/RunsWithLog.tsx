/** The runs page with the log pane in its drawer. */
import { Log } from "~/app/logPane";
import RunsPage from "~/features/runs/RunsPage";

export default function RunsWithLog() {
  return <RunsPage {...Log} />;
}
