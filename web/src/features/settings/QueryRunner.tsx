/** Tries a declared query that reads: its parameters as fields, its first rows as a table. */
import { useMutation } from "@tanstack/react-query";
import { useId, useState, type FormEvent } from "react";

import { api, ApiError, ok } from "~/api/client";
import { valuesOf, type Connector, type DeclaredQuery, type Param, type QueryResult } from "~/features/settings/sources";
import { texts } from "~/features/settings/sourceTexts";
import { useTexts } from "~/lib/i18n";
import { duration } from "~/lib/time";
import { Button } from "~/ui/Button";
import { Icon } from "~/ui/Icon";

const SHOWN_ROWS = 100;

export function QueryRunner({ connector, query }: { connector: Connector; query: DeclaredQuery }) {
  const t = useTexts(texts);
  const id = useId();
  const [typed, setTyped] = useState<Readonly<Record<string, string>>>({});
  const [pool, setPool] = useState(connector.pool ?? "");
  const run = useMutation({
    mutationFn: () =>
      ok(api.POST("/admin/connectors/{connector}/queries/{query}/run", {
        params: { path: { connector: connector.name, query: query.name } },
        body: { params: valuesOf(query.params, typed), max_rows: SHOWN_ROWS, pool: pool === connector.pool ? null : pool },
      })),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    run.mutate();
  };
  const problem = run.error instanceof ApiError ? run.error.message : run.error === null ? null : String(run.error);
  return (
    <form className="runner" onSubmit={submit}>
      {query.params.length === 0 && <p className="help">{t.noParams}</p>}
      <div className="runner-fields">
        {query.params.map((param) => (
          <ParamField key={param.name} param={param} value={typed[param.name] ?? ""} onChange={(value) => setTyped({ ...typed, [param.name]: value })} />
        ))}
        {connector.pools.length > 1 && (
          <div className="field">
            <label htmlFor={`${id}pool`}>{t.onPool}</label>
            <span className="sel">
              <select id={`${id}pool`} className="input" value={pool} onChange={(event) => setPool(event.currentTarget.value)}>
                {connector.pools.map((one) => <option key={one}>{one}</option>)}
              </select>
              <Icon name="down" />
            </span>
          </div>
        )}
      </div>
      <div className="row">
        <Button type="submit" tone="primary" small icon="play" busy={run.isPending}>{t.run}</Button>
        <span className="faint" role="status">{run.data && t.rowsFound(run.data.row_count, duration(run.data.duration_ms))}{run.data?.truncated && ` ${t.more}`}</span>
      </div>
      {problem !== null && <p className="err" role="alert"><Icon name="s-bad" /><span>{t.notRun}: {problem}</span></p>}
      {run.data && <Rows result={run.data} />}
    </form>
  );
}

function ParamField({ param, value, onChange }: { param: Param; value: string; onChange: (value: string) => void }) {
  const t = useTexts(texts);
  const id = useId();
  const hint = [param.required ? t.required : null, param.default === undefined ? null : t.default_(String(param.default)), param.multiple ? t.listHelp : null, param.description ?? null]
    .filter((one) => one !== null).join(" · ");
  const shared = { id, className: "input", "aria-describedby": `${id}h`, value };
  return (
    <div className="field">
      <label htmlFor={id}>{param.label ?? param.name}{param.type !== undefined && <span className="faint"> {param.type}</span>}</label>
      {param.multiple ? (
        <textarea {...shared} rows={3} onChange={(event) => onChange(event.currentTarget.value)} />
      ) : param.type === "boolean" ? (
        <span className="sel">
          <select {...shared} onChange={(event) => onChange(event.currentTarget.value)}><option value="" /><option value="true">true</option><option value="false">false</option></select>
          <Icon name="down" />
        </span>
      ) : (
        <input {...shared} type={param.type === "date" ? "date" : "text"} inputMode={param.type === "integer" ? "numeric" : undefined}
          required={param.required === true && param.default === undefined} onChange={(event) => onChange(event.currentTarget.value)} />
      )}
      <span id={`${id}h`} className="help">{hint}</span>
    </div>
  );
}

function Rows({ result }: { result: QueryResult }) {
  const t = useTexts(texts);
  if (result.rows.length === 0) return <p className="muted">{t.noRows}</p>;
  return (
    <div className="scroll result" tabIndex={0} role="group" aria-label={t.result}>
      <table className="tbl">
        <thead><tr>{result.columns.map((column) => <th key={column} scope="col">{column}</th>)}</tr></thead>
        <tbody>
          {result.rows.map((row, index) => (
            <tr key={index}>{row.map((value, at) => <td key={result.columns[at]} className={typeof value === "number" ? "num" : undefined}><Value value={value} /></td>)}</tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Value({ value }: { value: unknown }) {
  const t = useTexts(texts);
  if (value === null || value === undefined) return <span className="faint">{t.null_}</span>;
  return <>{typeof value === "object" ? JSON.stringify(value) : String(value)}</>;
}
