/** Copies a text and says that it did. */
import { useEffect, useState, type ReactNode } from "react";

import { copyText } from "~/lib/clipboard";
import { useTexts } from "~/lib/i18n";
import { Button } from "~/ui/Button";
import { texts } from "~/ui/texts";

const SAID_MS = 1600;

interface Props {
  text: string;
  /** The button's word; without one it is an icon with the label "Copy". */
  children?: ReactNode;
  label?: string;
  tone?: "plain" | "quiet";
  small?: boolean;
}

export function CopyButton({ text, children, label, tone = "plain", small = false }: Props) {
  const t = useTexts(texts);
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), SAID_MS);
    return () => clearTimeout(timer);
  }, [copied]);
  return (
    <>
      <Button
        icon={copied ? "s-ok" : "copy"}
        tone={tone}
        small={small}
        onClick={() => void copyText(text).then(() => setCopied(true))}
        {...(children === undefined ? { "aria-label": label ?? t.copy, title: label ?? t.copy } : { children })}
      />
      <span className="sr" role="status">{copied ? t.copied : ""}</span>
    </>
  );
}
