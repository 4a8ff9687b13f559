/** Looking at what a step would do, and running it alone: asked for above the step's form, shown below it. */
import { useMutation } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";

import { api, ok } from "~/api/client";
import { useRights } from "~/api/me";
import { useForm } from "~/features/builder/form/context";
import { valueAt } from "~/features/builder/paths";
import { PreviewBox } from "~/features/builder/steps/PreviewBox";
import type { Step } from "~/features/builder/steps/steps";
import { TestDialog } from "~/features/builder/steps/TestDialog";
import { TestRun } from "~/features/builder/steps/TestRun";
import { texts } from "~/features/builder/texts";
import { useTexts } from "~/lib/i18n";
import { Button } from "~/ui/Button";

interface Props {
  step: Step;
  heading: ReactNode;
  menu: ReactNode;
  children: ReactNode;
}

export function StepTry({ step, heading, menu, children }: Props) {
  const t = useTexts(texts);
  const { session, seen, name, disabled } = useForm();
  const { mayJob } = useRights();
  const [asking, setAsking] = useState(false);
  const [tested, setTested] = useState<string | null>(null);
  const app = String(valueAt(seen.draft?.effective, ["app"]) ?? valueAt(seen.form, ["app"]) ?? "_default");
  const jobName = name ?? String(valueAt(seen.form, ["name"]) ?? "");
  const may = !disabled && mayJob("run", jobName, app);

  const preview = useMutation({
    mutationFn: async () => {
      const began = performance.now();
      const { text } = await session.settled();
      const found = await ok(api.POST("/admin/drafts/preview-step", { body: { toml: text, step: step.name, name, params: {}, op_kwargs: {} } }));
      return { step: found.step, at: new Date().toISOString(), ms: performance.now() - began };
    },
  });
  const test = useMutation({
    mutationFn: async (outputsOf: string) => {
      const { text } = await session.settled();
      const body = { toml: text, step: step.name, name, params: {}, op_kwargs: {}, outputs_of: outputsOf === "" ? null : outputsOf };
      return ok(api.POST("/admin/drafts/test-step", { body }));
    },
    onSuccess: (run) => {
      setTested(run.run_id);
      setAsking(false);
    },
  });
  const broken = seen.draft?.ok === false;
  return (
    <>
      <div className="row se-h">
        {heading}
        <span className="end row">
          {may && <Button small icon="search" busy={preview.isPending} disabled={broken} title={broken ? t.problemsFirst : t.previewHelp} onClick={() => preview.mutate()}>{t.preview}</Button>}
          {may && <Button small icon="play" disabled={broken} title={broken ? t.problemsFirst : undefined} onClick={() => setAsking(true)}>{t.testStep}</Button>}
          {menu}
        </span>
      </div>
      {children}
      {preview.isError && <p className="err try-err" role="alert">{preview.error.message}</p>}
      {preview.data !== undefined && <PreviewBox found={preview.data} busy={preview.isPending} onAgain={() => preview.mutate()} onClose={() => preview.reset()} />}
      {tested !== null && <TestRun key={tested} runId={tested} onClose={() => setTested(null)} />}
      {asking && <TestDialog step={step.name} first={valueAt(seen.form, ["steps", 0, "name"]) === step.name} busy={test.isPending} error={test.error} onTest={(outputsOf) => test.mutate(outputsOf)} onClose={() => setAsking(false)} />}
    </>
  );
}
