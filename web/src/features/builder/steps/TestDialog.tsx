/** Before a step is run for real: what that means, and whose outputs stand in for the steps before it. */
import { useId, useState } from "react";

import { texts } from "~/features/builder/texts";
import { useTexts } from "~/lib/i18n";
import { Confirm } from "~/ui/Dialog";
import { Icon } from "~/ui/Icon";

interface Props {
  step: string;
  first: boolean;
  busy: boolean;
  error: Error | null;
  onTest: (outputsOf: string) => void;
  onClose: () => void;
}

export function TestDialog({ step, first, busy, error, onTest, onClose }: Props) {
  const t = useTexts(texts);
  const id = useId();
  const [run, setRun] = useState("");
  return (
    <Confirm title={t.testTitle(step)} verb={t.runStep} busy={busy} onConfirm={() => onTest(run.trim())} onClose={onClose}>
      <p className="note warn"><Icon name="warn" /><span>{t.testText}</span></p>
      {!first && (
        <div className="field dialog-field">
          <label htmlFor={id}>{t.outputsOf}</label>
          <input id={id} className="input mono" placeholder="r-1842" value={run} autoComplete="off" aria-describedby={`${id}-h`} onChange={(event) => setRun(event.currentTarget.value)} />
          <span className="help" id={`${id}-h`}>{t.outputsOfHelp}</span>
        </div>
      )}
      {error && <p className="err dialog-field" role="alert"><Icon name="s-bad" /><span>{error.message}</span></p>}
    </Confirm>
  );
}
