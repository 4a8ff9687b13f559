/** connectors.toml as text: checked while it is typed, problems at their lines, saved as a whole, conflicts shown. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";

import { api, ApiError, ok } from "~/api/client";
import { fileQuery, lineSpan } from "~/features/settings/sources";
import { texts } from "~/features/settings/sourceTexts";
import { useTexts } from "~/lib/i18n";
import { Button } from "~/ui/Button";
import { Icon } from "~/ui/Icon";
import { ErrorState, SkeletonRows } from "~/ui/States";
import { toast } from "~/ui/toasts";

const CHECK_MS = 400;
const LINE = 20;

interface Seen { hash: string; text: string }
type Problem = ApiError["problems"][number];

export default function FileEditor() {
  const t = useTexts(texts);
  const file = useQuery({ ...fileQuery, refetchOnWindowFocus: false, staleTime: Infinity, gcTime: 0 });
  if (file.isError && file.data === undefined) return <ErrorState error={file.error} title={t.failedTitle} onRetry={() => void file.refetch()} />;
  if (file.data === undefined) return <section className="panel"><SkeletonRows rows={12} height={LINE} /></section>;
  return <Editor key={file.data.hash} seen={file.data} known={file.data.problems} onAgain={() => void file.refetch()} />;
}

function Editor({ seen, known, onAgain }: { seen: Seen; known: readonly Problem[]; onAgain: () => void }) {
  const t = useTexts(texts);
  const queries = useQueryClient();
  const area = useRef<HTMLTextAreaElement>(null);
  const gutter = useRef<HTMLDivElement>(null);
  const [text, setText] = useState(seen.text);
  const changed = text !== seen.text;
  const { problems, checked } = useCheck(text, seen.text, known);
  const save = useMutation({
    mutationFn: (hash: string) => ok(api.PUT("/admin/files/connectors", { body: { text, hash } })),
    onSuccess: (saved) => {
      toast.ok(t.saved);
      queries.setQueryData(fileQuery.queryKey, saved);
      void queries.invalidateQueries({ predicate: ({ queryKey: [first] }) => ["connectors", "pools", "tables", "columns"].includes(String(first)) });
    },
    onError: (error) => { if (!isConflict(error)) toast.failed(t.notSaved, error); },
  });
  const conflict = isConflict(save.error);
  const over = async () => save.mutate((await ok(api.GET("/admin/files/connectors"))).hash);
  useEffect(() => {
    if (!changed) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", ask);
    return () => window.removeEventListener("beforeunload", ask);
  }, [changed]);
  const goTo = (line: number) => {
    const [begin, end] = lineSpan(text, line);
    area.current?.focus();
    area.current?.setSelectionRange(begin, end);
    area.current?.scrollTo({ top: Math.max(0, (line - 4) * LINE) });
  };
  const wrong = new Set(problems.map((one) => one.line));
  const mayNotSave = !changed || save.isPending || (problems.length > known.length && checked);
  return (
    <section className="panel file" aria-label={t.file}>
      {conflict && (
        <div className="note warn" role="alert">
          <Icon name="warn" /><span className="grow">{t.conflict}</span>
          <Button small onClick={onAgain}>{t.takeTheirs}</Button><Button small onClick={() => void over()}>{t.takeMine}</Button>
        </div>
      )}
      <div className="file-text">
        <div ref={gutter} className="gutter" aria-hidden="true">
          {text.split("\n").map((_, index) => <span key={index} className={wrong.has(index + 1) ? "bad" : undefined}>{index + 1}</span>)}
        </div>
        <textarea
          ref={area}
          aria-label={t.fileLabel}
          aria-invalid={problems.length > 0}
          aria-describedby="file-problems"
          value={text}
          spellCheck={false}
          autoComplete="off"
          autoCapitalize="off"
          wrap="off"
          onChange={(event) => setText(event.currentTarget.value)}
          onScroll={(event) => gutter.current?.scrollTo({ top: event.currentTarget.scrollTop })}
          onKeyDown={(event) => {
            if ((event.ctrlKey || event.metaKey) && event.key === "s") {
              event.preventDefault();
              if (!mayNotSave) save.mutate(seen.hash);
            }
          }}
        />
      </div>
      <div className="file-foot">
        <div id="file-problems" className="grow" role="status">
          {problems.length === 0
            ? <span className={`st st-${checked ? "ok" : "idle"}`}><Icon name={checked ? "s-ok" : "s-queue"} />{checked ? t.good : t.checking}</span>
            : <ul>{problems.map((one) => <Wrong key={`${one.line} ${one.key} ${one.message}`} problem={one} onGo={goTo} />)}</ul>}
        </div>
        <span className="help">{changed ? t.changed : t.unchanged}</span>
        {changed && <Button onClick={() => setText(seen.text)}>{t.discard}</Button>}
        <Button tone="primary" busy={save.isPending} disabled={mayNotSave} onClick={() => save.mutate(seen.hash)}>{t.save}</Button>
      </div>
      <p className="panel-body help">{t.secrets}</p>
    </section>
  );
}

function Wrong({ problem, onGo }: { problem: Problem; onGo: (line: number) => void }) {
  const t = useTexts(texts);
  const { line } = problem;
  return (
    <li className="err">
      <Icon name="s-bad" />
      {line != null && <button type="button" title={t.goTo} onClick={() => onGo(line)}>{t.line(line)}</button>}
      <span>{problem.key != null && <code>{problem.key}</code>} {problem.message}</span>
    </li>
  );
}

const isConflict = (error: unknown) => error instanceof ApiError && error.status === 409;

/** What is wrong with the text, asked for when typing rests. */
function useCheck(text: string, original: string, known: readonly Problem[]): { problems: readonly Problem[]; checked: boolean } {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), CHECK_MS);
    return () => clearTimeout(timer);
  }, [text]);
  const check = useQuery({
    queryKey: ["connectors-check", settled],
    enabled: settled !== original,
    gcTime: 0,
    queryFn: () => ok(api.POST("/admin/files/connectors/check", { body: { text: settled } })),
  });
  if (text === original) return { problems: known, checked: true };
  const fresh = settled === text && check.data !== undefined;
  return { problems: check.data?.problems ?? [], checked: fresh };
}
