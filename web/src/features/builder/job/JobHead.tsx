/** The title line: which job, what is wrong with it, and what can be done with the whole of it. */
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";
import { Link } from "react-router";

import { useForm } from "~/features/builder/form/context";
import type { Saving } from "~/features/builder/job/saving";
import { versionsQuery, type Definition } from "~/features/builder/queries";
import { texts } from "~/features/builder/texts";
import { useTexts } from "~/lib/i18n";
import { Button } from "~/ui/Button";
import { Icon } from "~/ui/Icon";
import { Menu } from "~/ui/Menu";
import { PageHead } from "~/ui/PageHead";
import { Status } from "~/ui/Status";

const JobDialogs = lazy(() => import("~/features/builder/job/JobDialogs"));
const Versions = lazy(() => import("~/features/builder/job/Versions"));

interface Props {
  definition: Definition | null;
  problems: number;
  /** It may be written at all. */
  mayChange: boolean;
  saveDisabled: boolean;
  saving: Saving;
}

export type Over = "rename" | "duplicate" | "delete" | "versions" | null;

export function JobHead({ definition, problems, mayChange, saveDisabled, saving }: Props) {
  const t = useTexts(texts);
  const { session, seen } = useForm();
  const [over, setOver] = useState<Over>(null);
  const name = definition?.name ?? null;
  const versions = useQuery({ ...versionsQuery(name ?? ""), enabled: name !== null });
  const version = seen.base?.version ?? null;
  const next = version === null ? null : Math.max(version, versions.data?.items[0]?.version ?? 0) + 1;
  const count = versions.data?.items.length;
  const entries = [
    ...(mayChange ? [{ label: t.rename, icon: "edit" as const, run: () => setOver("rename") }] : []),
    { label: t.duplicate, icon: "copy" as const, run: () => setOver("duplicate") },
    ...(mayChange ? [{ label: t.deleteJob, icon: "x" as const, dangerous: true, run: () => setOver("delete") }] : []),
  ];
  const said = !mayChange ? null : name === null ? t.notSavedYet : seen.dirty ? t.edited(version) : t.unchanged(version);
  return (
    <>
      <nav className="crumb" aria-label={t.crumb}>
        <Link to="/nomaflow">{t.jobs}</Link><Icon name="right" small /><span>{name ?? t.newJob}</span>
      </nav>
      <PageHead
        title={name ?? t.newJob}
        actions={
          <>
            {name !== null && (
              <Button icon="hist" onClick={() => setOver("versions")}>{t.versions}{count !== undefined && <span className="count"> {count}</span>}</Button>
            )}
            {name !== null && <Menu button={<Button icon="dots" aria-label={t.more} title={t.more} />} entries={entries} />}
            {mayChange && name !== null && <Button disabled={!seen.dirty} onClick={session.discard}>{t.discard}</Button>}
            {mayChange && (
              <Button tone="primary" busy={saving.isPending} disabled={saveDisabled} title="Ctrl S" onClick={() => void saving.saveNow()}>
                {name === null ? t.create : next === null ? t.save : t.saveAs(next)}
              </Button>
            )}
          </>
        }
      >
        {problems > 0 && <Status value="failed" look="pill">{t.problems(problems)}</Status>}
        {said !== null && <span className="faint">{said}</span>}
      </PageHead>
      <Suspense>
        {definition !== null && (over === "rename" || over === "duplicate" || over === "delete") && (
          <JobDialogs which={over} definition={definition} dirty={seen.dirty} saving={saving} onClose={() => setOver(null)} />
        )}
        {definition !== null && over === "versions" && (
          <Versions name={definition.name} mayRestore={mayChange} dirty={seen.dirty} saving={saving} onClose={() => setOver(null)} />
        )}
      </Suspense>
    </>
  );
}
