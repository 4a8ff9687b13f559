/** Connectors: what each declares, what is in its database, its read queries to try, and the file they stand in. */
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";
import { useSearchParams } from "react-router";

import { useRights } from "~/api/me";
import { ConnectorDetail } from "~/features/settings/ConnectorDetail";
import { SettingsNav } from "~/features/settings/SettingsNav";
import { connectorsQuery, type Connector } from "~/features/settings/sources";
import { texts } from "~/features/settings/sourceTexts";
import { useTexts } from "~/lib/i18n";
import { Icon } from "~/ui/Icon";
import { PageHead } from "~/ui/PageHead";
import { EmptyState, ErrorState, SkeletonRows } from "~/ui/States";

const FileEditor = lazy(() => import("~/features/settings/FileEditor"));

export default function ConnectorsPage() {
  const t = useTexts(texts);
  const { may } = useRights();
  const [search, setSearch] = useSearchParams();
  const mayEdit = may("settings:connectors");
  const file = mayEdit && search.get("view") === "file";
  return (
    <>
      <SettingsNav />
      <PageHead title={t.connectors} actions={mayEdit && (
        <span className="seg" role="group" aria-label={t.connectors}>
          <button type="button" aria-pressed={!file} onClick={() => setSearch({})}>{t.list}</button>
          <button type="button" aria-pressed={file} onClick={() => setSearch({ view: "file" })}>{t.file}</button>
        </span>
      )} />
      {file ? <Suspense fallback={<SkeletonRows rows={10} height={20} />}><FileEditor /></Suspense> : <List />}
    </>
  );
}

function List() {
  const t = useTexts(texts);
  const [search, setSearch] = useSearchParams();
  const [wanted, setWanted] = useState("");
  const connectors = useQuery(connectorsQuery);
  const all = connectors.data ?? [];
  const name = search.get("name");
  const shown = all.filter((one) => `${one.name} ${one.label ?? ""}`.toLowerCase().includes(wanted.toLowerCase()));
  const chosen = all.find((one) => one.name === name);
  if (connectors.isError && connectors.data === undefined) {
    return <ErrorState error={connectors.error} title={t.failedTitle} onRetry={() => void connectors.refetch()} />;
  }
  if (connectors.data === undefined) return <section className="panel"><SkeletonRows rows={6} height={44} /></section>;
  if (all.length === 0) return <section className="panel"><EmptyState icon="db" title={t.noConnectors}>{t.noConnectorsHelp}</EmptyState></section>;
  return (
    <div className="conns">
      <section className="panel" aria-label={t.list}>
        <div className="panel-head">
          <label className="input"><Icon name="search" /><input aria-label={t.search} placeholder={t.search} value={wanted} onChange={(event) => setWanted(event.currentTarget.value)} /></label>
          <span className="count" role="status">{t.count(shown.length, all.length)}</span>
        </div>
        <ul className="conn-list">
          {shown.map((one) => <Entry key={one.name} connector={one} current={one.name === name} onPick={() => setSearch({ name: one.name })} />)}
        </ul>
      </section>
      {chosen === undefined
        ? <section className="panel"><p className="panel-body muted">{name === null ? t.choose : t.gone(name)}</p></section>
        : <ConnectorDetail key={chosen.name} connector={chosen} />}
    </div>
  );
}

function Entry({ connector, current, onPick }: { connector: Connector; current: boolean; onPick: () => void }) {
  const t = useTexts(texts);
  return (
    <li>
      <button type="button" aria-current={current ? "true" : undefined} onClick={onPick}>
        <Icon name={connector.type === "api" ? "globe" : "db"} />
        <span className="grow"><b className="trunc">{connector.name}</b><small className="trunc">{connector.label ?? connector.base_url ?? connector.pool}</small></span>
        {connector.type === null ? <span className="st st-bad"><Icon name="s-bad" />{t.broken}</span> : <span className="tag">{connector.type === "sql" ? t.sql : t.api}</span>}
      </button>
    </li>
  );
}
