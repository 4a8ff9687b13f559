/** A run over the table it was picked from. */
import { useQuery } from "@tanstack/react-query";
import type { ComponentType } from "react";
import { Link } from "react-router";

import type { LogProps } from "~/features/runs/logSlot";
import { storyQuery } from "~/features/runs/run/queries";
import { RunView } from "~/features/runs/run/RunView";
import { texts } from "~/features/runs/texts";
import { useTexts } from "~/lib/i18n";
import { Drawer } from "~/ui/Dialog";

export default function RunDrawer({ runId, onClose, Log }: { runId: string; onClose: () => void; Log?: ComponentType<LogProps> }) {
  const t = useTexts(texts);
  const job = useQuery(storyQuery(runId)).data?.run.job;
  return (
    <Drawer title={<>{job ?? t.run} <span className="drawer-id">{runId}</span> <Link className="whole" to={`/nomaflow/runs/${runId}`}>{t.wholePage}</Link></>} onClose={onClose} width={880}>
      <RunView runId={runId} inDrawer {...(Log && { Log })} />
    </Drawer>
  );
}
