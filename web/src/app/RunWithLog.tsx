/** The run page with the log pane below the steps. */
import { Log } from "~/app/logPane";
import RunPage from "~/features/runs/run/RunPage";

export default function RunWithLog() {
  return <RunPage {...Log} />;
}
