/** One step as a form, by the schema of its type. */
import { useId, useState } from "react";

import { useForm, usePlace } from "~/features/builder/form/context";
import { Field } from "~/features/builder/form/Field";
import { Framed, Typed } from "~/features/builder/form/inputs";
import { parted, type Spec } from "~/features/builder/form/schema";
import { isBelow, isTable, problemsAt, valueAt, type Path } from "~/features/builder/paths";
import { iconOf, type Step } from "~/features/builder/steps/steps";
import { StepTry } from "~/features/builder/steps/StepTry";
import { texts } from "~/features/builder/texts";
import { useTexts } from "~/lib/i18n";
import { Icon } from "~/ui/Icon";
import { Menu } from "~/ui/Menu";
import { Button } from "~/ui/Button";

interface Props {
  index: number;
  step: Step;
  onClone: () => void;
  onDelete: (() => void) | undefined;
}

export function StepEditor({ index, step, onClone, onDelete }: Props) {
  const t = useTexts(texts);
  const { seen, schema, disabled } = useForm();
  const path: Path = ["steps", index];
  const value = valueAt(seen.form, path);
  const { main, more, running } = parted(schema, step.type, isTable(value) ? value : {});
  const here = problemsAt(seen.draft?.problems ?? [], path, true);
  const shown = [...main, ...more, ...running].flatMap((one) => [one.key, ...one.spellings]);
  const unplaced = here.filter((one) => !shown.includes(String(one.path[2])) && one.path[2] !== "name");
  // Of a copy: where from and where to, side by side.
  const isEnd = (one: Spec) => one.kind === "group" && (one.key === "source" || one.key === "target");
  const field = (one: Spec) => <Field key={one.key} spec={one} within={path} />;
  const entries = [
    { label: t.cloneStep, icon: "copy" as const, run: onClone },
    ...(onDelete === undefined ? [] : [{ label: t.deleteStep, icon: "x" as const, dangerous: true, run: onDelete }]),
  ];
  return (
    <div className="se" role="group" aria-label={step.name}>
      <StepTry step={step}
        heading={<h3 className="row"><Icon name={iconOf(step.type)} /><span className="trunc">{step.name}</span> <span className="faint">{step.type}</span></h3>}
        menu={!disabled && <Menu button={<Button small tone="quiet" icon="dots" aria-label={t.moreForStep} title={t.moreForStep} />} entries={entries} />}>
        {unplaced.map((one) => <p key={one.message} className="err"><Icon name="s-bad" /><span>{one.key}: {one.message}</span></p>)}
        <div className="fields">
          <StepName index={index} step={step} />
          {main.filter((one) => one.kind !== "group").map(field)}
        </div>
        {main.some(isEnd) && <div className="two ends">{main.filter(isEnd).map(field)}</div>}
        {main.filter((one) => one.kind === "group" && !isEnd(one)).map(field)}
        {more.length > 0 && <Fold title={t.moreOptions} specs={more} path={path} />}
        <Fold title={t.whenItRuns} specs={running} path={path} />
      </StepTry>
    </div>
  );
}

function StepName({ index, step }: { index: number; step: Step }) {
  const t = useTexts(texts);
  const id = useId();
  const name = usePlace(["steps", index, "name"]);
  const problem = name.problems[0]?.message;
  return (
    <Framed id={id} label={t.name} problem={problem}>
      <Typed id={id} mono value={name.value} disabled={name.disabled} invalid={problem !== undefined} describedBy={problem && `${id}-e`} placeholder={step.named ? "" : step.name}
        onChange={name.set} write={(one) => (one == null ? "" : String(one))} read={(typed) => (typed === "" ? undefined : typed)} />
    </Framed>
  );
}

/** Opens by itself when something in it is wrong; says how much of it is written. */
function Fold({ title, specs, path }: { title: string; specs: readonly Spec[]; path: Path }) {
  const t = useTexts(texts);
  const { seen } = useForm();
  const [open, setOpen] = useState(false);
  const wrong = (seen.draft?.problems ?? []).some((one) => specs.some((spec) => isBelow(one.path, [...path, spec.key])));
  const written = specs.filter((one) => valueAt(seen.form, [...path, one.key]) !== undefined).length;
  const shown = open || wrong;
  const flat = specs.filter((one) => one.kind !== "group");
  const groups = specs.filter((one) => one.kind === "group");
  return (
    <div className="fold">
      <button type="button" className="more" aria-expanded={shown} onClick={() => setOpen(!open)}>
        <Icon name={shown ? "down" : "right"} small />{title}{written > 0 && <span className="count">{t.written(written)}</span>}
      </button>
      {shown && (
        <div className="fields">
          {[...flat, ...groups].map((one) => <Field key={one.key} spec={one} within={path} />)}
        </div>
      )}
    </div>
  );
}
