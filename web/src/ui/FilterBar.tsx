/** The filter: words become chips at a space, the text and the URL are one value (`useFilter`). `/` goes there. */
import { useId, useRef, useState, type KeyboardEvent, type ReactNode } from "react";

import { parse, print, type Word } from "~/lib/filter";
import { useTexts } from "~/lib/i18n";
import { useKeys } from "~/lib/keys";
import { suggest, type Known } from "~/lib/suggest";
import { Icon } from "~/ui/Icon";
import { optionId, Suggestions } from "~/ui/Suggestions";
import { texts } from "~/ui/texts";

interface Local {
  chips: readonly Word[];
  /** What is still being typed. */
  typing: string;
  /** The value as it came last, and what was sent since and has not come back. */
  seen: string;
  pending: readonly string[];
}

/** A last free word stays in the field, to be typed on; everything else is a chip. */
function taken(value: string): Local {
  const words = parse(value);
  const last = words.at(-1);
  const free = last?.name === "" && !last.not ? last : null;
  return { chips: free ? words.slice(0, -1) : words, typing: free ? print([free]) : "", seen: value, pending: [] };
}

const NOTHING: Known = {};

interface Props {
  label: string;
  /** "state:  tag:  app:" */
  placeholder: string;
  value: string;
  onChange: (text: string) => void;
  /** "14 of 31 jobs", spoken when it changes. */
  summary: string;
  /** What there is to filter by: offered while typing. */
  known?: Known;
  children?: ReactNode;
}

export function FilterBar({ label, placeholder, value, onChange, summary, known = NOTHING, children }: Props) {
  const t = useTexts(texts);
  const input = useRef<HTMLInputElement>(null);
  const list = useId();
  const [open, setOpen] = useState(false);
  const [active, setActive] = useState(-1);
  const [local, setLocal] = useState(() => taken(value));
  // The address follows the typing a moment later: what comes back is an echo, anything else came from elsewhere.
  if (value !== local.seen) {
    const echo = local.pending.indexOf(value);
    setLocal(echo < 0 ? taken(value) : { ...local, seen: value, pending: local.pending.slice(echo + 1) });
  }
  const { chips, typing } = local;
  useKeys([{ keys: "/", does: t.filter, run: () => input.current?.focus() }]);

  const put = (kept: readonly Word[], text: string) => {
    const ended = text.endsWith(" ") && (text.split('"').length - 1) % 2 === 0;
    const typed = parse(text);
    const next = print([...kept, ...typed]);
    const known = local.pending.at(-1) ?? local.seen;
    const pending = next === known ? local.pending : [...local.pending, next];
    setLocal({ ...local, pending, chips: ended ? [...kept, ...typed] : kept, typing: ended ? "" : text });
    onChange(next);
  };
  const offers = open ? suggest(typing, known) : [];
  const take = (text: string) => {
    setActive(-1);
    put(chips, text);
    input.current?.focus();
  };
  const move = (event: KeyboardEvent, by: 1 | -1) => {
    event.preventDefault();
    setOpen(true);
    const from = active < 0 && by < 0 ? 0 : active;
    if (offers.length > 0) setActive((from + by + offers.length) % offers.length);
  };
  const key = (event: KeyboardEvent) => {
    const end = chips.at(-1);
    const offer = offers[active];
    if (event.key === "ArrowDown") return move(event, 1);
    if (event.key === "ArrowUp") return move(event, -1);
    if (event.key === "Enter" && offer !== undefined) return take(offer.text);
    if (event.key === "Backspace" && typing === "" && end !== undefined) {
      event.preventDefault();
      put(chips.slice(0, -1), print([end]));
    } else if (event.key === "Enter" && typing !== "") put(chips, `${typing} `);
    else if (event.key === "Escape") input.current?.blur();
  };

  return (
    <div className="filter" role="search">
      {/* A click beside the words goes to the field, which is reached by Tab anyway. */}
      <div className="input fbox" onClick={() => input.current?.focus()}>
        <Icon name="filter" />
        {chips.map((word, index) => (
          <span key={print([word])} className="chip">
            <b>{word.not && "-"}{word.name !== "" && `${word.name}:`}</b>
            <span>{word.values.join(", ")}</span>
            <button type="button" aria-label={t.removeFilter(print([word]))} onClick={() => put(chips.filter((_, at) => at !== index), typing)}>
              <Icon name="x" small />
            </button>
          </span>
        ))}
        <input
          ref={input}
          aria-label={label}
          placeholder={chips.length === 0 ? placeholder : ""}
          value={typing}
          spellCheck={false}
          autoComplete="off"
          role="combobox"
          aria-expanded={offers.length > 0}
          aria-controls={list}
          aria-autocomplete="list"
          aria-activedescendant={offers[active] === undefined ? undefined : optionId(list, active)}
          onFocus={() => setOpen(true)}
          onBlur={() => setOpen(false)}
          onChange={(event) => {
            setOpen(true);
            setActive(-1);
            put(chips, event.currentTarget.value);
          }}
          onKeyDown={key}
        />
        <kbd className="wide-only" aria-hidden="true">/</kbd>
        <Suggestions id={list} offers={offers} active={active} onTake={take} />
      </div>
      {children}
      <span className="faint nowrap" role="status">{summary}</span>
    </div>
  );
}
