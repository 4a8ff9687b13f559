/** What stands where content will be or cannot be: empty, filtered away, loading, error, forbidden. All designed, none default. */
import type { ReactNode } from "react";

import { useTexts } from "~/lib/i18n";
import { Button, ButtonLink } from "~/ui/Button";
import { CopyButton } from "~/ui/CopyButton";
import { Icon, type IconName } from "~/ui/Icon";
import { texts } from "~/ui/texts";

interface Plate {
  icon: IconName;
  tone?: "bad" | "warn";
  title: string;
  children?: ReactNode;
  actions?: ReactNode;
}

export function EmptyState({ icon, tone, title, children, actions }: Plate) {
  return (
    <div className="state">
      <span className={tone ? `st st-${tone}` : "faint"}>
        <Icon name={icon} />
      </span>
      <h2>{title}</h2>
      {children && <div className="muted">{children}</div>}
      {actions && <div className="row">{actions}</div>}
    </div>
  );
}

/** A filter that lets nothing through: says so with its words and offers the ways out. */
export function FilteredState({ filter, hidden, onClear }: { filter: string; hidden: number; onClear: () => void }) {
  const t = useTexts(texts);
  return (
    <EmptyState icon="search" title={t.nothingMatches(filter)} actions={<Button onClick={onClear}>{t.clearAll}</Button>}>
      {t.hidden(hidden)}
    </EmptyState>
  );
}

/** `error` is an ApiError or anything thrown; what does not exist and what one may not see look the same. */
export function ErrorState({ error, title, onRetry }: { error: unknown; title?: string; onRetry?: () => void }) {
  const t = useTexts(texts);
  const status = error instanceof Error && "status" in error ? Number(error.status) : null;
  if (status === 404 || status === 403) return <ForbiddenState />;
  const message = status === 0 ? t.noAnswer : error instanceof Error ? error.message : String(error);
  return (
    <div role="alert">
      <EmptyState
        icon="s-bad"
        tone="bad"
        title={title ?? t.failedTitle}
        actions={
          <>
            {onRetry && <Button onClick={onRetry}>{t.tryAgain}</Button>}
            <CopyButton text={`${status ?? ""} ${message}`.trim()} tone="quiet">{t.copyDetails}</CopyButton>
          </>
        }
      >
        {message}
      </EmptyState>
    </div>
  );
}

export function ForbiddenState() {
  const t = useTexts(texts);
  return (
    <EmptyState icon="lock" title={t.forbiddenTitle} actions={<ButtonLink to="/">{t.toJobs}</ButtonLink>}>
      {t.forbidden}
    </EmptyState>
  );
}

/** Rows that are on their way, as high as the real ones, so nothing jumps. */
export function SkeletonRows({ rows = 8, height = 32 }: { rows?: number; height?: number }) {
  const t = useTexts(texts);
  return (
    <div className="bones" role="status" aria-label={t.loading}>
      {Array.from({ length: rows }, (_, index) => (
        <div key={index} style={{ height }}>
          <i /><i /><i /><i />
        </div>
      ))}
    </div>
  );
}

/** A page whose code is on its way: blank at first, because most arrive before anybody could read a word. */
export function PageLoading() {
  const t = useTexts(texts);
  return <div className="page-loading" role="status" aria-label={t.loading} />;
}
