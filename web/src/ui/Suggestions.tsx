/** What the filter bar offers, below its field; the field keeps the focus and names the active one. */
import type { Suggestion } from "~/lib/suggest";
import { useTexts } from "~/lib/i18n";
import { texts } from "~/ui/texts";
import "~/ui/suggestions.css";

export const optionId = (list: string, index: number) => `${list}-${index}`;

interface Props {
  id: string;
  offers: readonly Suggestion[];
  active: number;
  onTake: (text: string) => void;
}

export function Suggestions({ id, offers, active, onTake }: Props) {
  const t = useTexts(texts);
  return (
    <ul id={id} className="pop suggestions" role="listbox" aria-label={t.suggestions} hidden={offers.length === 0}>
      {offers.map((one, index) => (
        <li
          key={one.label}
          id={optionId(id, index)}
          role="option"
          aria-selected={index === active}
          // Not a click: the field must not lose the focus.
          onPointerDown={(event) => {
            event.preventDefault();
            onTake(one.text);
          }}
        >
          <span className="trunc">{one.label}</span>
          {one.count !== null && <span className="count">{one.count}</span>}
        </li>
      ))}
    </ul>
  );
}
