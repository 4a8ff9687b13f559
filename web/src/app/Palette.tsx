/** The command palette: pages, jobs, run ids and commands by a few letters. Loaded when it is first opened. */
import { Modal } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useId, useState, type KeyboardEvent } from "react";
import { useNavigate } from "react-router";

import type { Page } from "~/app/pages";
import { texts } from "~/app/texts";
import { NEXT_SCHEME, scheme, setScheme } from "~/app/theme";
import { jobsQuery } from "~/api/jobs";
import { language, setLanguage, useTexts } from "~/lib/i18n";
import { ranked } from "~/lib/rank";
import { Icon, type IconName } from "~/ui/Icon";
import "~/ui/dialog.css";

interface Choice { key: string; icon: IconName; label: string; kind: string; run: () => void }

const MOST = 12;

export default function Palette({ pages, onClose, onKeys }: { pages: readonly Page[]; onClose: () => void; onKeys: () => void }) {
  const t = useTexts(texts);
  const navigate = useNavigate();
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const list = useId();
  const jobs = useQuery(jobsQuery);

  const go = (path: string) => () => void navigate(path);
  const run = /^r?-?(\d+)$/.exec(text.trim())?.[1];
  const choices: Choice[] = [
    ...pages.flatMap((page) => page.nav ? [{ key: page.path, icon: page.nav.icon, label: t[page.nav.text], kind: t.pages, run: go(page.path) }] : []),
    ...(jobs.data ?? []).map((job): Choice => ({
      key: `job ${job.name}`, icon: "list", label: job.name, kind: t.job, run: go(`/nomaflow/jobs/${job.name.split("/").map(encodeURIComponent).join("/")}`),
    })),
    { key: "theme", icon: "half", label: t.nextTheme, kind: t.command, run: () => setScheme(NEXT_SCHEME[scheme.get()]) },
    { key: "language", icon: "globe", label: t.language, kind: t.command, run: () => void setLanguage(language.get() === "en" ? "fr" : "en") },
    { key: "keys", icon: "info", label: t.keys, kind: t.command, run: onKeys },
  ];
  const found = ranked(text, choices, (one) => one.label).slice(0, MOST);
  if (run !== undefined) {
    found.unshift({ key: "run", icon: "runs", label: t.openRun(`r-${run}`), kind: t.run, run: go(`/nomaflow/runs/r-${run}`) });
  }
  const active = Math.min(at, found.length - 1);

  const choose = (one: Choice | undefined) => {
    if (one === undefined) return;
    onClose();
    one.run();
  };
  const key = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown") setAt((active + 1) % found.length);
    else if (event.key === "ArrowUp") setAt((active - 1 + found.length) % found.length);
    else if (event.key === "Enter") choose(found[active]);
    else return;
    event.preventDefault();
  };

  return (
    <Modal
      opened
      onClose={onClose}
      withCloseButton={false}
      size={560}
      yOffset="12vh"
      transitionProps={{ duration: 0 }}
      attributes={{ content: { "aria-label": t.paletteLabel } }}
      classNames={{ root: "palette-box", content: "dialog", body: "dialog-body" }}
    >
      <div className="palette-field">
        <Icon name="search" />
        <input
          data-autofocus
          role="combobox"
          aria-expanded="true"
          aria-controls={list}
          aria-label={t.paletteLabel}
          aria-activedescendant={found.length > 0 ? `${list}-${active}` : undefined}
          placeholder={t.palette}
          value={text}
          spellCheck={false}
          onChange={(event) => { setText(event.currentTarget.value); setAt(0); }}
          onKeyDown={key}
        />
      </div>
      <ul id={list} className="palette-list" role="listbox" aria-label={t.paletteLabel}>
        {found.map((one, index) => (
          <li key={one.key} id={`${list}-${index}`} role="option" aria-selected={index === active} onPointerMove={() => setAt(index)} onClick={() => choose(one)}>
            <Icon name={one.icon} />
            {one.label}
            <span className="faint">{one.kind}</span>
          </li>
        ))}
      </ul>
      {found.length === 0 && <p className="state faint" role="status">{t.nothing}</p>}
    </Modal>
  );
}
