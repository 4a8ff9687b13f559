/** What is in a connector's database: schemas, tables and views, and the columns of one of them. */
import { useQuery } from "@tanstack/react-query";
import { useDeferredValue, useId, useState } from "react";

import { columnsQuery, tablesQuery } from "~/features/settings/sources";
import { texts } from "~/features/settings/sourceTexts";
import { useTexts } from "~/lib/i18n";
import { Icon } from "~/ui/Icon";
import { ErrorState, SkeletonRows } from "~/ui/States";

export function Tables({ connector }: { connector: string }) {
  const t = useTexts(texts);
  const id = useId();
  const [schema, setSchema] = useState<string | null>(null);
  const [typed, setTyped] = useState("");
  const [table, setTable] = useState<string | null>(null);
  const like = useDeferredValue(typed.trim());
  const tables = useQuery(tablesQuery(connector, schema, like));
  if (tables.isError && tables.data === undefined) return <ErrorState error={tables.error} title={t.failedTitle} onRetry={() => void tables.refetch()} />;
  if (tables.data === undefined) return <SkeletonRows rows={6} height={32} />;
  const { items, schemas, truncated } = tables.data;
  return (
    <div className="tables">
      <div className="table-names">
        <div className="row">
          {schemas.length > 1 && (
            <span className="sel">
              <select id={id} aria-label={t.schema} className="input" value={schema ?? tables.data.schema ?? ""} onChange={(event) => { setSchema(event.currentTarget.value); setTable(null); }}>
                {schemas.map((one) => <option key={one}>{one}</option>)}
              </select>
              <Icon name="down" />
            </span>
          )}
          <label className="input"><Icon name="search" /><input aria-label={t.findTable} placeholder={t.findTable} value={typed} onChange={(event) => setTyped(event.currentTarget.value)} /></label>
        </div>
        <p className="help" role="status">{items.length === 0 ? t.noTables : t.tablesFound(items.length)} {truncated && t.cut}</p>
        <ul>
          {items.map((one) => (
            <li key={one.name}>
              <button type="button" aria-current={one.name === table ? "true" : undefined} onClick={() => setTable(one.name)}>
                <span className="trunc grow">{one.name}</span>{one.kind === "view" && <span className="tag">{t.view}</span>}
              </button>
            </li>
          ))}
        </ul>
      </div>
      {table === null ? <p className="muted panel-body">{t.chooseTable}</p> : <Columns connector={connector} schema={schema} table={table} />}
    </div>
  );
}

function Columns({ connector, schema, table }: { connector: string; schema: string | null; table: string }) {
  const t = useTexts(texts);
  const columns = useQuery(columnsQuery(connector, schema, table));
  if (columns.isError) return <ErrorState error={columns.error} title={t.failedTitle} onRetry={() => void columns.refetch()} />;
  if (columns.data === undefined) return <SkeletonRows rows={6} height={32} />;
  return (
    <div className="scroll" tabIndex={0} role="group" aria-label={t.columns(table)}>
      <table className="tbl" aria-label={t.columns(table)}>
        <thead><tr><th scope="col">{t.column}</th><th scope="col">{t.type}</th><th scope="col">{t.nullable}</th><th scope="col">{t.key}</th></tr></thead>
        <tbody>
          {columns.data.items.map((column) => (
            <tr key={column.name}>
              <td className="b">{column.name}</td><td className="mono">{column.type}</td><td>{column.nullable ? t.yes : ""}</td>
              <td>{column.key && <span className="tag">{t.key}</span>}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
