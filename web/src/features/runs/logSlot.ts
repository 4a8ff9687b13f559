/** What the run page asks of a log pane; another feature brings it, `app/` puts it in. */
export interface LogProps {
  runId: string;
  live: boolean;
  className?: string;
}
