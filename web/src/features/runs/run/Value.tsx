/** A step's input or output: a list of like objects as a table, anything else as a tree. */
import { useState } from "react";

import { tableOf } from "~/features/runs/run/rows";
import { texts } from "~/features/runs/texts";
import { useTexts } from "~/lib/i18n";
import { CopyButton } from "~/ui/CopyButton";
import { JsonTree } from "~/ui/JsonTree";

const SHOWN = 20;

export function Value({ value, none }: { value: unknown; none: string }) {
  const t = useTexts(texts);
  const [tree, setTree] = useState(false);
  if (value === undefined || value === null) return <p className="faint">{none}</p>;
  const found = tableOf(value);
  return (
    <div className="value">
      <div className="value-h">
        {found && <span className="faint">{t.rowsAndColumns(found.rows.length, found.columns.length)}</span>}
        <span className="end">
          {found && <button type="button" className="btn small quiet" onClick={() => setTree(!tree)}>{tree ? t.asTable : t.asTree}</button>}
          <CopyButton small tone="quiet" text={JSON.stringify(value, null, 2)} />
        </span>
      </div>
      {found && !tree ? (
        <>
          {found.rest !== null && <JsonTree value={found.rest} />}
          <Rows columns={found.columns} rows={found.rows} />
        </>
      ) : <JsonTree value={value} />}
    </div>
  );
}

function Rows({ columns, rows }: { columns: readonly string[]; rows: readonly (readonly unknown[])[] }) {
  const t = useTexts(texts);
  const [all, setAll] = useState(false);
  const shown = all ? rows : rows.slice(0, SHOWN);
  return (
    <>
      <div className="scroll" tabIndex={0} role="region" aria-label={t.rows}>
        <table className="tbl data">
          <thead><tr>{columns.map((column) => <th key={column} scope="col">{column}</th>)}</tr></thead>
          <tbody>
            {shown.map((row, index) => (
              <tr key={index}>{row.map((cell, at) => <td key={columns[at]} className={typeof cell === "number" ? "num" : undefined}><Cell value={cell} /></td>)}</tr>
            ))}
          </tbody>
        </table>
      </div>
      {rows.length > shown.length && <button type="button" className="more" onClick={() => setAll(true)}>{t.moreRows(rows.length - shown.length)}</button>}
    </>
  );
}

function Cell({ value }: { value: unknown }) {
  if (value === null || value === undefined) return <span className="faint">null</span>;
  return <>{typeof value === "string" ? value : JSON.stringify(value)}</>;
}
