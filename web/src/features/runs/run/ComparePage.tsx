/** Two runs side by side: what is different between them, and each step's time and rows. */
import { useQuery } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { Link, useSearchParams } from "react-router";

import { api, ok, type Schemas } from "~/api/client";
import { brief } from "~/features/runs/run/Changes";
import { change as part, number } from "~/features/runs/numbers";
import { who } from "~/features/runs/query";
import { texts } from "~/features/runs/texts";
import { useTexts } from "~/lib/i18n";
import { Button } from "~/ui/Button";
import { PageHead } from "~/ui/PageHead";
import { EmptyState, ErrorState, SkeletonRows } from "~/ui/States";
import { Status } from "~/ui/Status";
import { Duration, Time } from "~/ui/Time";
import "~/features/runs/run/run.css";

type Compared = Schemas["CompareModel"];

export default function ComparePage() {
  const t = useTexts(texts);
  const [search, setSearch] = useSearchParams();
  const a = search.get("a") ?? "";
  const b = search.get("b") ?? "";
  const both = a !== "" && b !== "";
  const found = useQuery({
    queryKey: ["runs", "compare", a, b],
    enabled: both,
    queryFn: () => ok(api.GET("/admin/jobs/runs/compare", { params: { query: { a, b } } })),
  });
  return (
    <>
      <PageHead title={t.compareTitle}>
        <Pick key={`${a} ${b}`} a={a} b={b} onPick={(left, right) => setSearch({ a: left, b: right }, { replace: true })} />
      </PageHead>
      {!both ? (
        <section className="panel"><EmptyState icon="diff" title={t.pickTwo}>{t.pickTwoHelp}</EmptyState></section>
      ) : found.isPending ? (
        <section className="panel"><SkeletonRows rows={8} height={36} /></section>
      ) : found.isError ? (
        <section className="panel"><ErrorState error={found.error} onRetry={() => void found.refetch()} /></section>
      ) : (
        <Both found={found.data} />
      )}
    </>
  );
}

function Pick({ a, b, onPick }: { a: string; b: string; onPick: (a: string, b: string) => void }) {
  const t = useTexts(texts);
  const [left, setLeft] = useState(a);
  const [right, setRight] = useState(b);
  const id = (text: string) => (/^\d+$/.test(text.trim()) ? `r-${text.trim()}` : text.trim());
  const send = (event: FormEvent) => {
    event.preventDefault();
    onPick(id(left), id(right));
  };
  return (
    <form className="pick" onSubmit={send}>
      <input className="input" aria-label={t.firstRun} placeholder="r-…" value={left} onChange={(event) => setLeft(event.currentTarget.value)} />
      <Button icon="refresh" aria-label={t.swap} title={t.swap} onClick={() => onPick(id(right), id(left))} />
      <input className="input" aria-label={t.secondRun} placeholder="r-…" value={right} onChange={(event) => setRight(event.currentTarget.value)} />
      <Button type="submit">{t.compare}</Button>
    </form>
  );
}

function Both({ found }: { found: Compared }) {
  const t = useTexts(texts);
  const { a, b } = found;
  return (
    <div className="cmp">
      <div className="cmp-heads">
        {[a, b].map((run) => (
          <section key={run.run_id} className="panel cmp-head" aria-label={run.run_id}>
            <h2><Link to={`/nomaflow/runs/${run.run_id}`}>{run.run_id}</Link> <span className="faint">{run.job}</span></h2>
            <div className="row"><Status value={run.status} /> <b><Duration ms={run.duration_ms} /></b></div>
            <div className="faint"><Time at={run.started_at ?? run.queued_at} look="absolute" /></div>
            <div className="faint">{t.by(run.trigger, who(run))}{run.definition_version !== null && ` · v${run.definition_version}`}</div>
          </section>
        ))}
      </div>
      {!found.same_job && <p className="note warn">{t.notTheSameJob}</p>}
      <section className="panel">
        <div className="panel-head"><h2>{t.differences}</h2><span className="count">{number(found.items.length + found.more)}</span></div>
        {found.items.length === 0 ? <p className="chg-none faint">{t.nothingDifferent}</p> : (
          <div className="scroll" tabIndex={0} role="region" aria-label={t.differences}>
            <table className="tbl">
              <thead><tr><th scope="col">{t.what}</th><th scope="col">{t.name}</th><th scope="col">{a.run_id}</th><th scope="col">{b.run_id}</th></tr></thead>
              <tbody>
                {found.items.map((one) => (
                  <tr key={`${one.kind} ${one.name}`}>
                    <td className="faint">{t.changeKind(one.kind)}</td><td><b>{one.name}</b></td>
                    <td><code className="del">{brief(one, one.before)}</code></td><td><code className="ins">{brief(one, one.after)}</code></td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
        {!found.code_known && <p className="chg-none faint">{t.codeUnknown}</p>}
      </section>
      <section className="panel">
        <div className="panel-head"><h2>{t.steps}</h2></div>
        <div className="scroll" tabIndex={0} role="region" aria-label={t.steps}><Steps found={found} /></div>
      </section>
    </div>
  );
}

function Steps({ found }: { found: Compared }) {
  const t = useTexts(texts);
  const state = (status: string | null) => (status === null ? <span className="faint">–</span> : <Status value={status} look="plain" />);
  const rows = (value: number | null) => (value === null ? "–" : number(value));
  const longest = Math.max(1, ...found.steps.flatMap((step) => [step.duration_ms_a ?? 0, step.duration_ms_b ?? 0]));
  return (
    <table className="tbl cmp-steps">
      <thead>
        <tr>
          <th scope="col">{t.step}</th><th scope="col">{found.a.run_id}</th><th scope="col">{found.b.run_id}</th><th scope="col" className="wide-only"><span className="sr">{t.took}</span></th>
          <th scope="col" className="num">{t.took}</th><th scope="col" className="num">{t.rows}</th><th scope="col" className="num">{t.tries}</th>
        </tr>
      </thead>
      <tbody>
        {found.steps.map((step) => (
          <tr key={step.name}>
            <th scope="row"><b>{step.name}</b></th>
            <td>{state(step.status_a)}</td>
            <td>{state(step.status_b)}</td>
            <td className="wide-only">
              <svg className="pair" aria-hidden="true">
                <rect className="b-ghost" x="0.5" y="0.5" height="8" width={`${((step.duration_ms_a ?? 0) / longest) * 99}%`} />
                <rect className="b-run" x="0" y="11" height="8" width={`${((step.duration_ms_b ?? 0) / longest) * 100}%`} />
              </svg>
            </td>
            <td className="num"><Duration ms={step.duration_ms_a} /> → <Duration ms={step.duration_ms_b} /> <span className="faint">{part(step.duration_ms_a, step.duration_ms_b)}</span></td>
            <td className="num">{rows(step.rows_a)} → {rows(step.rows_b)} <span className="faint">{part(step.rows_a, step.rows_b)}</span></td>
            <td className="num">{step.tries_a === step.tries_b ? step.tries_a : `${step.tries_a} → ${step.tries_b}`}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
