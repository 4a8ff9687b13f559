/** One connector: its queries or endpoints, and the tables of its database. */
import { useState } from "react";

import { useRights } from "~/api/me";
import { QueryRunner } from "~/features/settings/QueryRunner";
import type { Connector, DeclaredQuery, Endpoint } from "~/features/settings/sources";
import { texts } from "~/features/settings/sourceTexts";
import { Tables } from "~/features/settings/Tables";
import { useTexts } from "~/lib/i18n";
import { Icon } from "~/ui/Icon";

export function ConnectorDetail({ connector }: { connector: Connector }) {
  const t = useTexts(texts);
  const [tab, setTab] = useState<"declared" | "tables">("declared");
  const facts = [
    ...(connector.pool === null ? [] : [[t.pool, connector.pools.length > 1 ? connector.pools.join(", ") : connector.pool] as const]),
    ...(connector.base_url == null ? [] : [[t.address, connector.base_url] as const]),
    ...(connector.auth_type == null ? [] : [[t.sign, connector.auth_type] as const]),
  ];
  const sql = connector.type === "sql";
  return (
    <section className="panel" aria-label={connector.name}>
      <div className="panel-head"><h2>{connector.label ?? connector.name}</h2>{connector.label != null && <code className="faint">{connector.name}</code>}</div>
      <div className="panel-body">
        {connector.description != null && <p className="conn-about">{connector.description}</p>}
        {connector.problem !== null && <p className="err"><Icon name="s-bad" />{connector.problem}</p>}
        <dl className="kv">{facts.flatMap(([name, value]) => [<dt key={name}>{name}</dt>, <dd key={`${name}v`}>{value}</dd>])}</dl>
      </div>
      {connector.type !== null && (
        <>
          <div className="tabs conn-tabs" role="group" aria-label={connector.name}>
            <button type="button" aria-current={tab === "declared" ? "true" : undefined} onClick={() => setTab("declared")}>
              {sql ? t.queries : t.endpoints} <span className="count">{sql ? connector.queries.length : connector.endpoints.length}</span>
            </button>
            {sql && <button type="button" aria-current={tab === "tables" ? "true" : undefined} onClick={() => setTab("tables")}>{t.tables}</button>}
          </div>
          {tab === "tables" ? <Tables connector={connector.name} /> : sql ? <Queries connector={connector} /> : <Endpoints endpoints={connector.endpoints} />}
        </>
      )}
    </section>
  );
}

function Queries({ connector }: { connector: Connector }) {
  const t = useTexts(texts);
  const { may } = useRights();
  if (connector.queries.length === 0) return <p className="panel-body muted">{t.nothing}</p>;
  return (
    <ul className="declared">
      {connector.queries.map((query) => {
        const mayRun = !query.writable && query.kind !== "sequence" && (may("settings:connectors") || may(`sql:${connector.name}:${query.name}`));
        return <Query key={query.name} connector={connector} query={query} mayRun={mayRun} />;
      })}
    </ul>
  );
}

function Query({ connector, query, mayRun }: { connector: Connector; query: DeclaredQuery; mayRun: boolean }) {
  const t = useTexts(texts);
  const [open, setOpen] = useState(false);
  const head = (
    <>
      <span className="grow"><b>{query.name}</b>{query.label != null && <span className="muted"> {query.label}</span>}{query.description != null && <small>{query.description}</small>}</span>
      <span className="tag">{query.writable ? t.writes : t.reads}</span>
    </>
  );
  return (
    <li>
      {mayRun ? (
        <button type="button" className="declared-head" aria-expanded={open} onClick={() => setOpen(!open)}><Icon name={open ? "down" : "right"} />{head}</button>
      ) : <div className="declared-head">{head}</div>}
      {open && <QueryRunner connector={connector} query={query} />}
    </li>
  );
}

function Endpoints({ endpoints }: { endpoints: readonly Endpoint[] }) {
  const t = useTexts(texts);
  if (endpoints.length === 0) return <p className="panel-body muted">{t.nothing}</p>;
  return (
    <ul className="declared">
      {endpoints.map((one) => (
        <li key={one.name}>
          <div className="declared-head">
            <span className="grow">
              <b>{one.name}</b>{one.label != null && <span className="muted"> {one.label}</span>}
              <small><code>{one.method} {one.path}</code>{one.params.length > 0 && ` · ${one.params.map((param) => param.name).join(", ")}`}</small>
            </span>
          </div>
        </li>
      ))}
    </ul>
  );
}
