/** What can be done with the active line: copy it or the selection, copy a link to it. */
import { lineAddress } from "~/features/log/requests";
import { selectedText } from "~/features/log/copying";
import type { LogModel } from "~/features/log/model";
import { texts } from "~/features/log/texts";
import type { View } from "~/features/log/view";
import { copyText } from "~/lib/clipboard";
import { useTexts } from "~/lib/i18n";
import { Button } from "~/ui/Button";
import { toast } from "~/ui/toasts";

export function useCopying(model: LogModel) {
  const t = useTexts(texts);
  const failed = (error: unknown) => toast.failed(t.notCopied, error);
  return {
    lines: () =>
      void selectedText(model)
        .then(async ({ text, count }) => {
          if (count === 0) return;
          await copyText(text);
          toast.ok(t.copied(count));
        })
        .catch(failed),
    link: () => {
      const seq = model.view.get().active;
      if (seq > 0) void copyText(lineAddress(model.runId, seq)).then(() => toast.ok(t.copiedLink(seq)), failed);
    },
  };
}

export function Tools({ model, view, top }: { model: LogModel; view: View; top: number }) {
  const t = useTexts(texts);
  const copying = useCopying(model);
  return (
    <div className="lk" style={{ top: top - 2 }}>
      <Button small icon="copy" aria-label={t.copyLines} title={t.copyLines} onClick={copying.lines} />
      <Button small icon="link" aria-label={t.linkTo(view.active)} onClick={copying.link}>{t.link}</Button>
    </div>
  );
}
