/** Every version of the job: who saved it, what it changed, what differs from now, and the way back. */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { api, ok, type Schemas } from "~/api/client";
import { DiffView } from "~/features/builder/DiffView";
import type { Saving } from "~/features/builder/job/saving";
import { versionsQuery } from "~/features/builder/queries";
import { unifiedLines } from "~/features/builder/text/lineDiff";
import { texts } from "~/features/builder/texts";
import { useTexts } from "~/lib/i18n";
import { Button } from "~/ui/Button";
import { Confirm, Drawer } from "~/ui/Dialog";
import { EmptyState, ErrorState, SkeletonRows } from "~/ui/States";
import { Time } from "~/ui/Time";
import { toast } from "~/ui/toasts";

type Version = Schemas["VersionModel"];

interface Props {
  name: string;
  mayRestore: boolean;
  dirty: boolean;
  saving: Saving;
  onClose: () => void;
}

export default function Versions({ name, mayRestore, dirty, saving, onClose }: Props) {
  const t = useTexts(texts);
  const versions = useQuery(versionsQuery(name));
  const [open, setOpen] = useState<number | null>(null);
  const [back, setBack] = useState<Version | null>(null);
  const items = versions.data?.items ?? [];
  const current = items.find((one) => one.current) ?? null;
  return (
    <Drawer title={t.versionsOf(name)} width={720} onClose={onClose}>
      {versions.isError ? (
        <ErrorState error={versions.error} onRetry={() => void versions.refetch()} />
      ) : versions.isPending ? (
        <SkeletonRows rows={6} height={44} />
      ) : items.length === 0 ? (
        <EmptyState icon="hist" title={t.noVersions}>{t.noVersionsText}</EmptyState>
      ) : (
        <ol className="vers" aria-label={t.versions}>
          {items.map((one) => (
            <li key={one.version}>
              <button type="button" className="ver" aria-expanded={open === one.version} onClick={() => setOpen(open === one.version ? null : one.version)}>
                <b>v{one.version}</b>
                <span className="grow">
                  <span className="trunc">{one.summary || t.actions(one.action)}</span>
                  <span className="faint">
                    {one.saved_by?.replace(/^user:/, "") ?? t.fromFile}, <Time at={one.saved_at ?? one.loaded_at} />
                  </span>
                </span>
                {one.current && <span className="tag">{t.current}</span>}
              </button>
              {open === one.version && (
                <div className="ver-in">
                  <Difference name={name} version={one.version} current={current?.version ?? one.version} />
                  {mayRestore && !one.current && <Button small icon="replay" onClick={() => setBack(one)}>{t.restore(one.version)}</Button>}
                </div>
              )}
            </li>
          ))}
        </ol>
      )}
      {back !== null && (
        <Confirm
          title={t.restoreTitle(back.version)}
          verb={t.restore(back.version)}
          busy={saving.restore.isPending}
          onClose={() => setBack(null)}
          onConfirm={() => saving.restore.mutate(back.version, { onSuccess: onClose, onError: (error) => toast.failed(t.notSaved, error) })}
        >
          <p>{t.restoreText}</p>
          {dirty && <p className="note warn"><span>{t.restoreLoses}</span></p>}
        </Confirm>
      )}
    </Drawer>
  );
}

/** Of an old version: against now. Of the current one: against the one before. */
function Difference({ name, version, current }: { name: string; version: number; current: number }) {
  const t = useTexts(texts);
  const query = version === current ? { to: version } : { from: version, to: current };
  const found = useQuery({
    queryKey: ["version-diff", name, version, current],
    retry: false,
    queryFn: () => ok(api.GET("/admin/jobs/{name}/diff", { params: { path: { name }, query } })),
  });
  if (found.isPending) return <SkeletonRows rows={3} height={20} />;
  if (found.isError) return <p className="muted">{t.noEarlier}</p>;
  const label = t.diffOf(found.data.from, found.data.to);
  return (
    <>
      <p className="faint">{label}</p>
      <DiffView label={label} lines={unifiedLines(found.data.unified)} />
    </>
  );
}
