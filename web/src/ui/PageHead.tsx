/** The title line of a page: what it is, whether it is live, actions at the right. Sets the tab's title too. */
import { useEffect, type ReactNode } from "react";

export function PageHead({ title, children, actions }: { title: string; children?: ReactNode; actions?: ReactNode }) {
  useEffect(() => {
    document.title = `${title} · Nomaflow`;
  }, [title]);
  return (
    <div className="page-head">
      <h1>{title}</h1>
      {children}
      {actions && <div className="end">{actions}</div>}
    </div>
  );
}
