/** What a step would do, read only: counts and columns of a copy, rows of a query, otherwise what would be called. */
import type { Schemas } from "~/api/client";
import { isTable } from "~/features/builder/paths";
import { texts } from "~/features/builder/texts";
import { locale, useTexts } from "~/lib/i18n";
import { Button } from "~/ui/Button";
import { Icon } from "~/ui/Icon";
import { JsonTree } from "~/ui/JsonTree";
import { Status } from "~/ui/Status";
import { Duration, Time } from "~/ui/Time";

export interface Found { step: Schemas["PlannedStepModel"]; at: string; ms: number }

const ROWS = 10;

export function PreviewBox({ found, busy, onAgain, onClose }: { found: Found; busy: boolean; onAgain: () => void; onClose: () => void }) {
  const t = useTexts(texts);
  const { step } = found;
  const preview = isTable(step.preview) ? step.preview : {};
  return (
    <section className="prev" aria-label={t.preview}>
      <div className="row pv-h">
        <h4>{t.preview}</h4>
        <span className="faint">{t.readOnly}, <Time at={found.at} />, <Duration ms={found.ms} /></span>
        <span className="end row">
          <Button small tone="quiet" icon="refresh" busy={busy} onClick={onAgain}>{t.again}</Button>
          <Button small tone="quiet" icon="x" aria-label={t.closePreview} title={t.closePreview} onClick={onClose} />
        </span>
      </div>
      {step.unresolved !== null && <p className="pv-p">{step.unresolved}</p>}
      {!step.enabled && <p className="pv-p">{t.stepIsOff}</p>}
      {typeof preview.error === "string" && <p className="pv-p err" role="alert"><Icon name="s-bad" /><span>{preview.error}</span></p>}
      {typeof preview.error === "string" ? null : Array.isArray(preview.columns) ? <Copy preview={preview} /> : <Plain step={step} preview={preview} />}
    </section>
  );
}

/** The guard says `ok`, or why the step would fail. */
function isStop(guard: unknown): guard is string {
  return typeof guard === "string" && guard !== "ok";
}

function figure(value: unknown): string {
  return typeof value === "number" ? value.toLocaleString(locale()) : "–";
}

function Copy({ preview }: { preview: Readonly<Record<string, unknown>> }) {
  const t = useTexts(texts);
  const { source_rows: source, target_rows: target, guard, mode } = preview;
  const after = mode === "overwrite" ? source : null;
  const lost = typeof source === "number" && typeof target === "number" && mode === "overwrite" ? Math.max(0, target - source) : null;
  const stops = isStop(guard);
  const columns = (preview.columns as readonly unknown[]).filter(isTable);
  const changed = columns.filter((one) => one.change !== null && one.change !== undefined);
  const exact = columns.length - changed.length;
  return (
    <>
      <div className="counts">
        <div><span className="lbl">{t.sourceNow}</span><b>{figure(source)}</b></div>
        <div><span className="lbl">{t.targetNow}</span><b>{figure(target)}</b></div>
        {after !== null && <div><span className="lbl">{t.afterStep}</span><b>{figure(after)}</b></div>}
        <div className={stops ? "cbad" : undefined}>
          <span className="lbl">{lost === null ? t.guard : t.rowsLost}</span>
          {lost !== null && <b>{figure(lost)}</b>}{" "}
          {typeof guard === "string" && <Status value={stops ? "failed" : "succeeded"} look="plain">{stops ? t.wouldStop(guard) : t.withinGuard}</Status>}
        </div>
      </div>
      <Sentences list={preview.problems} tone="bad" />
      <Sentences list={preview.notes} tone="warn" />
      {typeof preview.path === "string" && preview.path !== "" && <p className="pv-p faint">{t.way(preview.path)}</p>}
      {changed.length > 0 && (
        <div className="cmw" tabIndex={0} role="group" aria-label={t.mapping}>
          <table className="tbl cm">
            <thead><tr><th>{t.column}</th><th>{t.source}</th><th>{t.target}</th><th>{t.detail}</th></tr></thead>
            <tbody>
              {changed.map((one) => (
                <tr key={String(one.target)}>
                  <td className="mono">{String(one.target)}</td>
                  <td className="mono faint">{String(one.source_type ?? "–")}</td>
                  <td className="mono">{String(one.target_type ?? "–")}</td>
                  <td><Status value={/fails|cut off/.test(String(one.change)) ? "late" : "scheduled"} look="plain">{String(one.change)}</Status></td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {exact > 0 && <p className="pv-p faint">{t.exactColumns(exact)}</p>}
      <Rows rows={preview.rows} />
    </>
  );
}

function Sentences({ list, tone }: { list: unknown; tone: "bad" | "warn" }) {
  if (!Array.isArray(list)) return null;
  return list.map((one) => (
    <p key={String(one)} className={`pv-p st st-${tone}`}><Icon name={tone === "bad" ? "s-bad" : "warn"} /><span>{String(one)}</span></p>
  ));
}

function Plain({ step, preview }: { step: Found["step"]; preview: Readonly<Record<string, unknown>> }) {
  const t = useTexts(texts);
  const { rows, ...told } = preview;
  const rest = Object.fromEntries(Object.entries(told).filter(([key]) => key !== "error"));
  const more = Object.keys(rest).length > 0;
  return (
    <>
      {isStop(rest.guard) && <Sentences list={[t.wouldStop(rest.guard)]} tone="bad" />}
      <div className="pv-json"><JsonTree value={more ? rest : (step.input as unknown)} name={more ? t.wouldDo : t.input} /></div>
      <Rows rows={rows} />
    </>
  );
}

function Rows({ rows }: { rows: unknown }) {
  const t = useTexts(texts);
  const list = Array.isArray(rows) ? rows.filter(isTable).slice(0, ROWS) : [];
  const [first] = list;
  if (first === undefined) return null;
  const names = Object.keys(first);
  return (
    <div className="cmw" tabIndex={0} role="group" aria-label={t.firstRows}>
      <table className="tbl cm">
        <thead><tr>{names.map((name) => <th key={name}>{name}</th>)}</tr></thead>
        <tbody>
          {list.map((row, index) => <tr key={index}>{names.map((name) => <td key={name} className="mono">{row[name] === null ? <span className="faint">NULL</span> : typeof row[name] === "string" ? row[name] : JSON.stringify(row[name])}</td>)}</tr>)}
        </tbody>
      </table>
    </div>
  );
}
