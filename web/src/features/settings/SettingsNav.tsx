/** The settings' own pages as tabs; those one may not see are left out. */
import { NavLink } from "react-router";

import { useRights } from "~/api/me";
import { texts } from "~/features/settings/texts";
import { useTexts } from "~/lib/i18n";
import "~/features/settings/settings.css";

const TABS = [
  { path: "/settings/technical", name: "technical", needs: ["settings:technical", "monitoring:view"] },
  { path: "/settings/pools", name: "pools", needs: ["settings:connectors", "settings:technical"] },
  { path: "/settings/connectors", name: "connectors", needs: ["settings:connectors", "settings:jobs"] },
] as const;

export function useTabs() {
  const { may } = useRights();
  return TABS.filter((tab) => tab.needs.some(may));
}

export function SettingsNav() {
  const t = useTexts(texts);
  const tabs = useTabs();
  return (
    <nav className="tabs subnav" aria-label={t.settings}>
      {tabs.map((tab) => <NavLink key={tab.path} to={tab.path}>{t[tab.name]}</NavLink>)}
    </nav>
  );
}
