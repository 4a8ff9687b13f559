/** The line that says that what is shown may be old. Only after a moment: a restart of the server is no event. */
import { useEffect, useState } from "react";

import { texts } from "~/app/texts";
import { useTexts } from "~/lib/i18n";
import { connection, reconnect } from "~/lib/live";
import { useStore } from "~/lib/store";
import { clock } from "~/lib/time";
import { Button } from "~/ui/Button";
import { Icon } from "~/ui/Icon";

const GRACE_MS = 2500;

export function LostLine() {
  const t = useTexts(texts);
  const { state, heardAt } = useStore(connection);
  const [late, setLate] = useState(false);
  const lost = state === "lost";
  useEffect(() => {
    const timer = setTimeout(() => setLate(lost), lost ? GRACE_MS : 0);
    return () => clearTimeout(timer);
  }, [lost]);
  if (!lost || !late) return null;
  return (
    <div className="lost" role="status">
      <Icon name="server" />
      <span>{t.lost(heardAt === null ? "–" : clock(new Date(heardAt)))}</span>
      <span className="wide-only">{t.lostHelp}</span>
      <Button small onClick={reconnect}>{t.reconnect}</Button>
    </div>
  );
}
