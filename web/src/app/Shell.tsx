/** What stands round every page for somebody who is signed in; everybody else is led to the sign-in and back again. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { lazy, Suspense, useEffect, useState, type ReactNode } from "react";
import { Navigate, Outlet, useLocation, useNavigate } from "react-router";

import { LostLine } from "~/app/LostLine";
import { PAGES } from "~/app/pages";
import { texts } from "~/app/texts";
import { NEXT_SCHEME, scheme, setScheme } from "~/app/theme";
import { TopBar } from "~/app/TopBar";
import { signedOut } from "~/api/client";
import { RightsOf, useRights } from "~/api/me";
import { meQuery } from "~/api/queries";
import { useTexts } from "~/lib/i18n";
import { useKeys } from "~/lib/keys";
import { sessionEnded } from "~/lib/live";
import type { Person } from "~/lib/rights";
import { useStore } from "~/lib/store";
import { EmptyState, ErrorState, ForbiddenState, PageLoading } from "~/ui/States";

const Palette = lazy(() => import("~/app/Palette"));
const KeyList = lazy(() => import("~/app/KeyList"));

export function Shell() {
  const { pathname, search } = useLocation();
  const me = useQuery(meQuery);
  useEndOfSession();
  if (me.isPending) return <PageLoading />;
  if (me.isError) return <ErrorState error={me.error} onRetry={() => void me.refetch()} />;
  if (me.data === null) {
    const back = pathname === "/" ? "" : `?next=${encodeURIComponent(pathname + search)}`;
    return <Navigate to={`/sign-in${back}`} replace />;
  }
  return <RightsOf me={me.data}><SignedIn /></RightsOf>;
}

/** A request or the live connection was refused: ask again who this is, which leads to the sign-in if nobody. */
function useEndOfSession(): void {
  const queries = useQueryClient();
  const refused = useStore(signedOut);
  const ended = useStore(sessionEnded);
  useEffect(() => {
    if (ended === 0 && refused === 0) return;
    if (queries.getQueryData(meQuery.queryKey) != null) void queries.invalidateQueries({ queryKey: meQuery.queryKey });
  }, [queries, refused, ended]);
}

function SignedIn() {
  const t = useTexts(texts);
  const { me } = useRights();
  const navigate = useNavigate();
  const [over, setOver] = useState<"palette" | "keys" | null>(null);
  const pages = PAGES.filter((page) => page.nav !== undefined && page.allowed(me));
  useKeys([
    { keys: "Mod k", does: t.openPalette, run: () => setOver("palette") },
    { keys: "?", does: t.keys, run: () => setOver("keys") },
    { keys: "t", does: t.nextTheme, run: () => setScheme(NEXT_SCHEME[scheme.get()]) },
    ...pages.flatMap((page) =>
      page.nav ? [{ keys: page.nav.key, does: t.goTo(t[page.nav.text]), run: () => void navigate(page.path) }] : [],
    ),
  ]);
  return (
    <>
      <a className="skip" href="#main">{t.skip}</a>
      <TopBar pages={pages} onPalette={() => setOver("palette")} onKeys={() => setOver("keys")} />
      <LostLine />
      <main id="main" className="page" tabIndex={-1}>
        <Suspense fallback={<PageLoading />}>
          <Outlet />
        </Suspense>
      </main>
      <Suspense>
        {over === "palette" && <Palette pages={pages} onClose={() => setOver(null)} onKeys={() => setOver("keys")} />}
        {over === "keys" && <KeyList onClose={() => setOver(null)} />}
      </Suspense>
    </>
  );
}

/** Forbidden and absent look the same. */
export function Allowed({ to, children }: { to: (person: Person) => boolean; children: ReactNode }) {
  const { me } = useRights();
  return to(me) ? children : <ForbiddenState />;
}

/** The address without a page: the first page this person may see. */
export function Start() {
  const t = useTexts(texts);
  const { me } = useRights();
  const first = PAGES.find((page) => page.nav !== undefined && page.allowed(me));
  if (first !== undefined) return <Navigate to={first.path} replace />;
  return <EmptyState icon="lock" title={t.signedInAs(me.name)}>{t.noRights}</EmptyState>;
}
