/** Saving, making, renaming, copying and deleting a job. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate } from "react-router";

import { api, ApiError, ok } from "~/api/client";
import { jobsQuery } from "~/api/jobs";
import { definitionQuery, type Definition } from "~/features/builder/queries";
import { baseOf, type DraftSession } from "~/features/builder/session";
import { texts } from "~/features/builder/texts";
import { useTexts } from "~/lib/i18n";
import { toast } from "~/ui/toasts";

export const editPath = (name: string) => `/nomaflow/jobs/${encodeURIComponent(name)}/edit`;

export function useSaving(session: DraftSession, name: string | null, file: string | null) {
  const t = useTexts(texts);
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [leaving, setLeaving] = useState(false);

  const settle = (saved: Definition) => {
    queries.setQueryData(definitionQuery(saved.name).queryKey, saved);
    void queries.invalidateQueries({ queryKey: ["versions", saved.name] });
    void queries.invalidateQueries({ queryKey: jobsQuery.queryKey });
    session.rebase(
      baseOf(saved),
      // Typed while it was saved: that stays, and is not saved yet.
      session.get().text === session.get().draft?.toml && !session.get().busy ? saved : undefined,
    );
  };
  /** Once nothing stands in the way of leaving any more. */
  const go = (to: string) => {
    setLeaving(true);
    setTimeout(() => void navigate(to), 0);
  };

  const save = useMutation({
    mutationFn: ({ toml, revision, base }: { toml: string; revision: string; base: string }) =>
      ok(api.PUT("/admin/jobs/{name}/definition", { params: { path: { name: name ?? "" }, header: { "if-match": `"${revision}"` } }, body: { toml, base, changes: [] } })),
    onSuccess: (saved) => {
      settle(saved);
      toast.ok(saved.version === null ? t.saved(saved.name) : t.savedAs(saved.name, saved.version));
    },
    onError: (error) => {
      // Somebody was quicker: the banner tells, once the file's text is here.
      if (error instanceof ApiError && error.status === 409) void queries.invalidateQueries({ queryKey: definitionQuery(name ?? "").queryKey });
      else toast.failed(t.notSaved, error);
    },
  });

  const create = useMutation({
    mutationFn: (toml: string) => ok(api.POST("/admin/jobs", { body: { toml, file } })),
    onSuccess: (made) => {
      queries.setQueryData(definitionQuery(made.name).queryKey, made);
      void queries.invalidateQueries({ queryKey: jobsQuery.queryKey });
      toast.ok(t.made(made.name, made.file));
      go(editPath(made.name));
    },
    onError: (error) => toast.failed(t.notSaved, error),
  });

  const saveNow = async () => {
    const { draft, text, base, dirty, refused } = await session.settled();
    if (!dirty || refused !== null || draft?.ok !== true) return;
    if (name === null) create.mutate(text);
    else if (base !== null) save.mutate({ toml: text, revision: base.revision, base: base.text });
  };

  const rename = useMutation({
    mutationFn: (to: string) =>
      ok(api.POST("/admin/jobs/{name}/rename", { params: { path: { name: name ?? "" }, header: { "if-match": `"${session.get().base?.revision ?? ""}"` } }, body: { to } })),
    onSuccess: (made) => {
      queries.setQueryData(definitionQuery(made.name).queryKey, made);
      void queries.invalidateQueries({ queryKey: jobsQuery.queryKey });
      toast.ok(t.renamed(made.name));
      go(editPath(made.name));
    },
  });

  const duplicate = useMutation({
    mutationFn: (to: string) => ok(api.POST("/admin/jobs/{name}/duplicate", { params: { path: { name: name ?? "" } }, body: { to, enabled: false } })),
    onSuccess: (made) => {
      queries.setQueryData(definitionQuery(made.name).queryKey, made);
      void queries.invalidateQueries({ queryKey: jobsQuery.queryKey });
      toast.ok(t.duplicated(made.name));
      go(editPath(made.name));
    },
  });

  const remove = useMutation({
    mutationFn: () =>
      ok(api.DELETE("/admin/jobs/{name}/definition", { params: { path: { name: name ?? "" }, header: { "if-match": `"${session.get().base?.revision ?? ""}"` } } })),
    onSuccess: (gone) => {
      void queries.invalidateQueries({ queryKey: jobsQuery.queryKey });
      const undo = async () => {
        try {
          const back = await ok(api.POST("/admin/jobs", { body: { toml: gone.toml, file: gone.file } }));
          await queries.invalidateQueries({ queryKey: jobsQuery.queryKey });
          toast.ok(t.isBack(back.name));
        } catch (error) {
          toast.failed(t.notSaved, error);
        }
      };
      toast.ok(t.deleted(gone.name), { action: { label: t.undo, run: () => void undo() } });
      go("/nomaflow");
      queries.removeQueries({ queryKey: definitionQuery(gone.name).queryKey });
    },
  });

  const restore = useMutation({
    mutationFn: (version: number) =>
      ok(api.POST("/admin/jobs/{name}/versions/{version}/restore", { params: { path: { name: name ?? "", version }, header: { "if-match": `"${session.get().base?.revision ?? ""}"` } } })),
    onSuccess: (saved, version) => {
      settle(saved);
      session.rebase(baseOf(saved), saved);
      toast.ok(t.restored(version, saved.version ?? version));
    },
  });

  return { saveNow, rename, duplicate, remove, restore, leaving, isPending: save.isPending || create.isPending };
}
export type Saving = ReturnType<typeof useSaving>;
