/** The steps of the job in order, and the chosen one as a form. */
import { useForm } from "~/features/builder/form/context";
import { stepTypes } from "~/features/builder/form/schema";
import { isTable, valueAt } from "~/features/builder/paths";
import { StepEditor } from "~/features/builder/steps/StepEditor";
import { StepList } from "~/features/builder/steps/StepList";
import { freshStep, iconOf, stepsOf } from "~/features/builder/steps/steps";
import { texts } from "~/features/builder/texts";
import { useTexts } from "~/lib/i18n";
import { Button } from "~/ui/Button";
import { Menu } from "~/ui/Menu";
import { EmptyState } from "~/ui/States";

export function StepsPanel({ chosen, onChoose }: { chosen: number; onChoose: (index: number) => void }) {
  const t = useTexts(texts);
  const { session, seen, schema, disabled } = useForm();
  const steps = stepsOf(seen.form, seen.draft);
  const index = Math.min(chosen, steps.length - 1);
  const step = steps[index];
  const add = (value: Readonly<Record<string, unknown>>, at: number) => {
    session.edit(steps.length === 0 ? { op: "set", path: ["steps"], value: [value] } : { op: "insert", path: ["steps", at], value });
    onChoose(at);
  };
  const types = stepTypes(schema).map((type) => ({ label: type, icon: iconOf(type), run: () => add(freshStep(type, steps), steps.length) }));
  const menu = (primary: boolean) => (
    <Menu heading={t.kindOfStep} button={<Button small={!primary} icon="plus">{t.addStep}</Button>} entries={types} />
  );
  return (
    <section className="panel" aria-label={t.steps}>
      <div className="panel-head">
        <h2>{t.steps}</h2>
        <span className="count">{steps.length > 1 ? t.inOrder(steps.length) : ""}</span>
        {!disabled && steps.length > 0 && <span className="end">{menu(false)}</span>}
      </div>
      {step === undefined ? (
        <EmptyState icon="list" title={t.noSteps} actions={!disabled && menu(true)}>{t.noStepsText}</EmptyState>
      ) : (
        <div className="steps">
          <StepList steps={steps} chosen={index} onChoose={onChoose} />
          <StepEditor
            // What is folded open or tried out belongs to the step, not to its place.
            key={step.name}
            index={index}
            step={step}
            onClone={() => {
              const copy = valueAt(seen.form, ["steps", index]);
              if (isTable(copy)) add({ ...copy, ...freshName(step.name, steps.map((one) => one.name)) }, index + 1);
            }}
            onDelete={steps.length < 2 ? undefined : () => {
              session.edit({ op: "remove", path: ["steps", index] });
              onChoose(Math.max(0, index - 1));
            }}
          />
        </div>
      )}
    </section>
  );
}

function freshName(name: string, taken: readonly string[]): { name: string } {
  for (let number = 2; ; number++) if (!taken.includes(`${name}-${number}`)) return { name: `${name}-${number}` };
}
