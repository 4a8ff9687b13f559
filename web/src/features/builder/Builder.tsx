/** The builder of one job: keeps its session, saves it, and guards what is not saved. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useState, useSyncExternalStore } from "react";
import { useBlocker } from "react-router";

import { ConflictBanner } from "~/features/builder/ConflictBanner";
import { FormOf, type Form } from "~/features/builder/form/context";
import type { Schema } from "~/features/builder/form/schema";
import { IdentityPanel, Sections } from "~/features/builder/form/Sections";
import { JobHead } from "~/features/builder/job/JobHead";
import { useSaving } from "~/features/builder/job/saving";
import { asking, callablesQuery, connectorsQuery, definitionQuery, type Definition } from "~/features/builder/queries";
import { SchedulePanel } from "~/features/builder/SchedulePanel";
import { baseOf, DraftSession } from "~/features/builder/session";
import { StepsPanel } from "~/features/builder/steps/StepsPanel";
import { TomlPane } from "~/features/builder/TomlPane";
import { texts } from "~/features/builder/texts";
import { useTexts } from "~/lib/i18n";
import { useKeys } from "~/lib/keys";
import { useLive } from "~/lib/useLive";
import { Confirm } from "~/ui/Dialog";
import { Icon } from "~/ui/Icon";

const EMPTY = '[[jobs]]\nname = ""\n';

export type View = "both" | "form" | "toml";

export function Builder({ schema, definition }: { schema: Schema; definition: Definition | null }) {
  const t = useTexts(texts);
  const queries = useQueryClient();
  const name = definition?.name ?? null;
  const [file, setFile] = useState<string | null>(definition?.file ?? null);
  const [opened] = useState(definition);
  const [session] = useState(() => start(name, definition));
  const seen = useSyncExternalStore(session.subscribe, session.get);
  const [chosen, setChosen] = useState({ index: 0, reveal: 0 });
  const [view, setView] = useState<View>("both");
  const readOnly = opened?.editable === false;

  // The file may change under us: at another's saving, at a reload, or in an editor while this tab was away.
  const there = useQuery({ ...definitionQuery(name ?? ""), enabled: name !== null, refetchInterval: 15_000 }).data;
  useLive({}, { reloaded: () => void (name !== null && queries.invalidateQueries({ queryKey: definitionQuery(name).queryKey })) });
  const moved = there !== undefined && seen.base !== null && there.revision !== seen.base.revision ? there : null;
  useEffect(() => {
    // Nothing of ours would be lost: follow.
    if (moved !== null && !session.get().dirty) session.rebase(baseOf(moved), moved);
  }, [moved, session]);

  // What the fields of steps will want: here before a step is chosen.
  useQuery(callablesQuery);
  useQuery(connectorsQuery);

  const saving = useSaving(session, name, file);
  const quiet = name === null && seen.text === EMPTY;
  const problems = quiet ? [] : (seen.draft?.problems ?? []);
  const maySave = !readOnly && seen.dirty && !seen.busy && seen.draft?.ok === true && seen.refused === null && moved === null;
  useKeys([{ keys: "Mod s", does: t.save, run: () => { if (!readOnly && !saving.isPending) void saving.saveNow(); } }]);

  const form = useMemo<Form>(
    () => ({ session, seen, schema, name, disabled: readOnly || seen.unreadable }),
    [session, seen, schema, name, readOnly],
  );
  const pane = <TomlPane file={file ?? "jobs.toml"} firstLine={definition?.line ?? 1} readOnly={readOnly} chosen={chosen.index} reveal={chosen.reveal}
      onChoose={(index) => setChosen({ ...chosen, index })} quiet={quiet} view={view} onView={setView} />;
  return (
    <FormOf value={form}>
      <Leaving when={seen.dirty && !readOnly && !saving.leaving} />
      <JobHead definition={there ?? definition} problems={problems.length} mayChange={!readOnly} saveDisabled={!maySave} saving={saving} />
      {readOnly && <div className="note ext"><Icon name="lock" /><span>{t.shipped}</span></div>}
      {moved !== null && seen.dirty && <ConflictBanner theirs={moved} />}
      {seen.refused !== null && (
        <div className="note bad ext" role="alert">
          <Icon name="s-bad" /><span className="grow">{seen.refused.message}</span>
          <button type="button" className="btn small" onClick={session.again}>{t.tryAgain}</button>
        </div>
      )}
      <div className={`ed view-${view}`}>
        <div className="form">
          {seen.unreadable && <div className="note warn"><Icon name="warn" /><span>{t.unreadable}</span></div>}
          {name === null && <IdentityPanel file={file} onFile={setFile} />}
          <SchedulePanel />
          <StepsPanel chosen={chosen.index} onChoose={(index) => setChosen({ index, reveal: chosen.reveal + 1 })} />
          <Sections isNew={name === null} />
        </div>
        {pane}
      </div>
    </FormOf>
  );
}

function start(name: string | null, definition: Definition | null): DraftSession {
  const ask = asking(name, () => null);
  return definition === null
    ? new DraftSession(ask, EMPTY, null, null)
    : new DraftSession(ask, definition.toml, definition, baseOf(definition));
}

/** Leaving the page, here or in the browser, asks first. */
function Leaving({ when }: { when: boolean }) {
  const t = useTexts(texts);
  const blocker = useBlocker(({ currentLocation, nextLocation }) => when && currentLocation.pathname !== nextLocation.pathname);
  useEffect(() => {
    if (!when) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", ask);
    return () => window.removeEventListener("beforeunload", ask);
  }, [when]);
  if (blocker.state !== "blocked") return null;
  return (
    <Confirm title={t.leaveTitle} verb={t.leave} keep={t.stay} dangerous onConfirm={() => blocker.proceed()} onClose={() => blocker.reset()}>
      {t.leaveText}
    </Confirm>
  );
}
