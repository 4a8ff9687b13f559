/**
 * A run's log, of any length, live while the run goes on. Stands on its own page and in the page of the run:
 *
 *   <LogPane runId="r-12" live />
 *
 * An address that ends in `#L123` opens it at that line.
 */
import { useEffect, useMemo, useState } from "react";
import { useLocation } from "react-router";

import { matcher, plain } from "~/features/log/ansi";
import { Lines } from "~/features/log/Lines";
import { LogModel } from "~/features/log/model";
import { ERROR, LEVELS } from "~/features/log/shape";
import { texts } from "~/features/log/texts";
import { Toolbar } from "~/features/log/Toolbar";
import type { View } from "~/features/log/view";
import { useTexts } from "~/lib/i18n";
import { remember, remembered } from "~/lib/storage";
import { useStore } from "~/lib/store";
import { Button } from "~/ui/Button";
import { Icon } from "~/ui/Icon";
import { EmptyState, ErrorState, SkeletonRows } from "~/ui/States";
import "~/features/log/log.css";

interface Props {
  runId: string;
  /** The run goes on, as far as is known; the pane finds out by itself when it ends. */
  live: boolean;
  className?: string;
  onView?: (view: View) => void;
}

export default function LogPane(props: Props) {
  return <Pane key={props.runId} {...props} />;
}

function Pane({ runId, live, className = "", onView }: Props) {
  const t = useTexts(texts);
  const { hash } = useLocation();
  const wanted = Number(/^#L(\d{1,9})$/.exec(hash)?.[1] ?? 0);
  const [model, setModel] = useState(() => new LogModel(runId));
  const view = useStore(model.view);
  const [wrap, setWrap] = useState(() => remembered("log-wrap") === "on");
  // The address and whether it is live count when it is opened; later the pane knows better.
  const [begin] = useState({ wanted, live });
  useEffect(() => model.start(begin.wanted, begin.live), [model, begin]);
  useEffect(() => {
    if (wanted > 0 && model.view.get().phase === "ready") model.goTo(Math.min(wanted, model.shape.length));
  }, [model, wanted]);
  useEffect(() => onView?.(view), [view, onView]);
  const mark = useMemo(() => matcher(view.search.text), [view.search.text]);
  const toggleWrap = () => {
    remember("log-wrap", wrap ? null : "on");
    setWrap(!wrap);
  };

  const active = view.active > 0 ? model.pages.get(view.active) : undefined;
  if (view.phase === "failed") {
    return <section className={`panel log ${className}`}><ErrorState error={view.error} title={t.failedTitle} onRetry={() => setModel(new LogModel(runId))} /></section>;
  }
  return (
    <section className={`panel log ${className}`} aria-label={t.log}>
      <Toolbar model={model} view={view} wrap={wrap} onWrap={toggleWrap} />
      {view.dropped > 0 && <p className="note warn flat"><Icon name="warn" />{t.dropped(view.dropped)}</p>}
      {view.phase === "loading" ? (
        <SkeletonRows rows={12} height={20} />
      ) : view.known === 0 ? (
        <EmptyState icon="empty" title={t.emptyTitle}>{t.empty}</EmptyState>
      ) : view.rows.length === 0 ? (
        <EmptyState icon="search" title={t.hiddenTitle} actions={<Button onClick={() => model.setMin(0)}>{t.showAll}</Button>}>{t.hidden(view.known)}</EmptyState>
      ) : (
        <Lines model={model} view={view} wrap={wrap} mark={mark} firstError={model.shape.next(0, ERROR)} />
      )}
      {view.running && view.phase === "ready" && (
        <p className="lend">
          {view.follow && <span className="st st-run"><Icon name="s-run" spin /></span>}
          {view.follow ? t.following : t.notFollowing}
        </p>
      )}
      <span className="sr" role="status">
        {active !== undefined && t.spoken(active.seq, LEVELS[model.shape.level(active.seq)], plain(active.message))}
      </span>
    </section>
  );
}
