/** What the picture cannot say: collisions, crowded minutes and clock changes, each in a sentence. */
import { useState, type ReactNode } from "react";

import type { Calendar, Foreseen } from "~/features/schedule/lanes";
import { texts } from "~/features/schedule/texts";
import { useTexts } from "~/lib/i18n";
import { Button } from "~/ui/Button";
import { Icon, type IconName } from "~/ui/Icon";
import { Time } from "~/ui/Time";

const FIRST = 5;

export function Notes({ calendar, foreseen }: { calendar: Calendar; foreseen: Foreseen | undefined }) {
  const t = useTexts(texts);
  const crowds = [...calendar.crowded].sort((one, other) => other.fires - one.fires);
  const overlaps = foreseen?.overlaps ?? [];
  if (crowds.length + overlaps.length + calendar.daylight.length === 0) return null;
  return (
    <section className="panel notes" aria-label={t.notes}>
      <div className="panel-head"><h2>{t.notes}</h2></div>
      <Group icon="collide" title={t.crowds} items={crowds.map((crowd) => (
        <li key={crowd.at}><b><Time at={crowd.at} look="absolute" /></b>: {t.longer(crowd.fires)}. <span className="faint">{crowd.jobs.join(", ")}</span></li>
      ))} />
      <Group icon="s-late" title={t.overlaps} items={overlaps.map((one) => <li key={one.job}>{one.text}</li>)} />
      <Group icon="dst" title={t.clocks} items={calendar.daylight.map((night) => <li key={`${night.at} ${night.timezone}`}>{night.text}</li>)} />
    </section>
  );
}

function Group({ icon, title, items }: { icon: IconName; title: string; items: readonly ReactNode[] }) {
  const t = useTexts(texts);
  const [open, setOpen] = useState(false);
  if (items.length === 0) return null;
  return (
    <div className="note-group">
      <h3><Icon name={icon} small />{title}</h3>
      <ul>{open ? items : items.slice(0, FIRST)}</ul>
      {!open && items.length > FIRST && <Button small tone="quiet" onClick={() => setOpen(true)}>{t.more(items.length - FIRST)}</Button>}
    </div>
  );
}
