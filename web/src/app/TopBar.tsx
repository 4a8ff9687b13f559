/** The 48 px at the top: where one is, the palette, theme and account. On phones the sections stand at the bottom. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link, useLocation } from "react-router";

import type { Page } from "~/app/pages";
import { texts } from "~/app/texts";
import { NEXT_SCHEME, scheme, setScheme, type Scheme } from "~/app/theme";
import { api, ok } from "~/api/client";
import { useRights } from "~/api/me";
import { meQuery } from "~/api/queries";
import { language, setLanguage, useTexts } from "~/lib/i18n";
import { setSingleKeys, singleKeys } from "~/lib/keys";
import { hangUp } from "~/lib/live";
import { useStore } from "~/lib/store";
import { Button } from "~/ui/Button";
import { Icon, type IconName } from "~/ui/Icon";
import { Mark } from "~/ui/Mark";
import { Menu } from "~/ui/Menu";
import { toast } from "~/ui/toasts";

const SCHEME_ICON: Readonly<Record<Scheme, IconName>> = { auto: "half", light: "sun", dark: "moon" };

export function TopBar({ pages, onPalette, onKeys }: { pages: readonly Page[]; onPalette: () => void; onKeys: () => void }) {
  const t = useTexts(texts);
  const chosen = useStore(scheme);
  return (
    <header className="top">
      <Link className="brand" to="/"><Mark />Nomaflow</Link>
      <Sections pages={pages} />
      <button type="button" className="palette" aria-label={t.paletteLabel} onClick={onPalette}>
        <Icon name="search" />
        <span>{t.palette}</span>
        <kbd>Ctrl K</kbd>
      </button>
      <div className="top-tools">
        <button type="button" className="btn quiet icon wide-only" aria-label={t.keys} onClick={onKeys}><kbd>?</kbd></button>
        <Button
          tone="quiet"
          icon={SCHEME_ICON[chosen]}
          aria-label={t.theme(t[chosen])}
          title={t.theme(t[chosen])}
          onClick={() => setScheme(NEXT_SCHEME[chosen])}
        />
        <Account />
      </div>
    </header>
  );
}

function Sections({ pages }: { pages: readonly Page[] }) {
  const t = useTexts(texts);
  const { pathname } = useLocation();
  const here = pages
    .filter((page) => pathname === page.path || pathname.startsWith(`${page.path}/`))
    .reduce<Page | undefined>((best, page) => (best === undefined || page.path.length > best.path.length ? page : best), undefined);
  return (
    <nav className="nav" aria-label={t.main}>
      {pages.map((page) =>
        page.nav && (
          <Link key={page.path} to={page.path} aria-current={page === here ? "page" : undefined}>
            <Icon name={page.nav.icon} />
            {t[page.nav.text]}
          </Link>
        ),
      )}
    </nav>
  );
}

function Account() {
  const t = useTexts(texts);
  const { me } = useRights();
  const queries = useQueryClient();
  const single = useStore(singleKeys);
  const signOut = useMutation({
    mutationFn: () => ok(api.POST("/auth/logout")),
    onSuccess: () => {
      hangUp();
      queries.setQueryData(meQuery.queryKey, null);
      queries.removeQueries({ predicate: (query) => query.queryKey[0] !== meQuery.queryKey[0] });
    },
    onError: (error) => toast.failed(t.signOut, error),
  });
  const initials = me.name.split(/[^\p{L}\p{N}]+/u).filter(Boolean).slice(0, 2).map((word) => word.charAt(0).toUpperCase()).join("");
  return (
    <Menu
      heading={t.signedInAs(me.name)}
      button={
        <button type="button" className="btn quiet icon" aria-label={t.account(me.name)}>
          <span className="who">{initials}</span>
        </button>
      }
      entries={[
        { label: t.language, icon: "globe", run: () => void setLanguage(language.get() === "en" ? "fr" : "en") },
        { label: t.singleKeys, icon: single ? "s-ok" : "x", run: () => setSingleKeys(!single) },
        { label: t.signOut, icon: "out", run: () => signOut.mutate() },
      ]}
    />
  );
}
