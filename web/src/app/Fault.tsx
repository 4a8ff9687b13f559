/** A page that broke, or whose files are gone because the server was updated. */
import { useRouteError } from "react-router";

import { texts } from "~/app/texts";
import { useTexts } from "~/lib/i18n";
import { Button } from "~/ui/Button";
import { EmptyState } from "~/ui/States";

const GONE = /dynamically imported module|preload CSS/i;

export function Fault() {
  const t = useTexts(texts);
  const error = useRouteError();
  const message = error instanceof Error ? error.message : String(error);
  const updated = GONE.test(message);
  return (
    <div role="alert">
      <EmptyState
        icon={updated ? "refresh" : "s-bad"}
        tone={updated ? "warn" : "bad"}
        title={updated ? t.newVersion : t.broken}
        actions={<Button tone="primary" onClick={() => location.reload()}>{t.reload}</Button>}
      >
        {updated ? "" : message}
      </EmptyState>
    </div>
  );
}
