/** Over the lines: how many, the level, the search, jumps, following, wrapping and the log as text. */
import { useEffect, useRef, useState, type KeyboardEvent } from "react";

import type { LogModel } from "~/features/log/model";
import { textAddress } from "~/features/log/requests";
import { LEVELS, type Level } from "~/features/log/shape";
import { texts } from "~/features/log/texts";
import { useCopying } from "~/features/log/Tools";
import type { View } from "~/features/log/view";
import { useTexts } from "~/lib/i18n";
import { useKeys } from "~/lib/keys";
import { Button } from "~/ui/Button";
import { Icon } from "~/ui/Icon";

const TYPING_MS = 250;

interface Props { model: LogModel; view: View; wrap: boolean; onWrap: () => void }

export function Toolbar({ model, view, wrap, onWrap }: Props) {
  const t = useTexts(texts);
  const copying = useCopying(model);
  const { counts, min, running, follow } = view;
  const own = [0, 0, counts[2] - counts[3], counts[3]];
  const toggleFollow = () => (follow ? model.viewport.hold() : model.viewport.toEnd());
  useKeys([
    { keys: "n", does: t.nextError, run: () => model.error(1) },
    { keys: "Shift n", does: t.previousError, run: () => model.error(-1) },
    { keys: "c", does: t.copyLines, run: copying.lines },
    { keys: "l", does: t.copyLink, run: copying.link },
    ...(running ? [{ keys: "f", does: t.follow, run: toggleFollow }] : []),
  ]);
  return (
    <div className="panel-head log-h">
      <h2>{t.log}</h2>
      <span className="count">{view.phase === "loading" ? t.reading(view.known, view.all) : t.lines(view.known)}</span>
      <span className="seg lvseg" role="group" aria-label={t.lowest}>
        {LEVELS.map((name, index) => (
          <button key={name} type="button" aria-pressed={min === index} onClick={() => model.setMin(index as Level)}>
            {t[name]}
            {(own[index] ?? 0) > 0 && <span className="count">{t.count(own[index] ?? 0)}</span>}
          </button>
        ))}
      </span>
      <Find model={model} view={view} />
      <span className="end">
        {counts[3] > 0 && <Button icon="s-bad" onClick={() => model.error(1)}>{view.active > 0 ? t.nextError : t.firstError}</Button>}
        {running && <Button icon="tail" aria-pressed={follow} onClick={toggleFollow}>{t.follow}</Button>}
        <Button icon="wrap" className="wide-only" aria-label={t.wrap} title={t.wrap} aria-pressed={wrap} onClick={onWrap} />
        <a className="btn icon" href={textAddress(model.runId, "text")} target="_blank" rel="noreferrer" aria-label={t.plain} title={t.plain}><Icon name="list" /></a>
        <a className="btn icon" href={textAddress(model.runId, "file")} download aria-label={t.download} title={t.download}><Icon name="dl" /></a>
      </span>
    </div>
  );
}

function Find({ model, view }: { model: LogModel; view: View }) {
  const t = useTexts(texts);
  const [text, setText] = useState("");
  const field = useRef<HTMLInputElement>(null);
  const { search } = view;
  useKeys([{ keys: "/", does: t.search, run: () => field.current?.select() }]);
  useEffect(() => {
    if (text === model.search.text) return;
    const timer = setTimeout(() => void model.find(text), text === "" ? 0 : TYPING_MS);
    return () => clearTimeout(timer);
  }, [model, text]);
  const go = (by: 1 | -1) => {
    if (text === model.search.text) model.goTo(model.search.step(by));
    else void model.find(text);
  };
  const key = (event: KeyboardEvent) => {
    if (event.key === "Enter") go(event.shiftKey ? -1 : 1);
    else if (event.key === "Escape" && text !== "") setText("");
    else if (event.key === "Escape") field.current?.blur();
    else return;
    event.preventDefault();
  };
  const many = `${t.count(search.count)}${search.more ? "+" : ""}`;
  const said = search.text === "" ? "" : search.busy && search.count === 0 ? t.searching : search.count === 0 ? t.none : t.of(search.at + 1, many);
  return (
    <span className="lsearch" role="search">
      <span className="input">
        <Icon name="search" />
        <input ref={field} aria-label={t.search} placeholder={t.find} value={text} spellCheck={false} autoComplete="off" maxLength={200} onChange={(event) => setText(event.currentTarget.value)} onKeyDown={key} />
        <span className="faint nowrap" role="status">{said}</span>
      </span>
      <Button icon="up" aria-label={t.previous} title={t.previous} disabled={search.count === 0} onClick={() => go(-1)} />
      <Button icon="down" aria-label={t.next} title={t.next} disabled={search.count === 0} onClick={() => go(1)} />
    </span>
  );
}
