/** The address of the settings as such: leads to the first of them one may see. */
import { Navigate } from "react-router";

import { useTabs } from "~/features/settings/SettingsNav";
import { ForbiddenState } from "~/ui/States";

export default function SettingsPage() {
  const [first] = useTabs();
  return first === undefined ? <ForbiddenState /> : <Navigate to={first.path} replace />;
}
