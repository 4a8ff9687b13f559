/** Dialogs on Mantine's Modal and Drawer: focus kept inside, Escape closes, focus goes back to where it was. */
import { Drawer as MantineDrawer, Modal } from "@mantine/core";
import { useId, type ReactNode } from "react";

import { useTexts } from "~/lib/i18n";
import { Button } from "~/ui/Button";
import { texts } from "~/ui/texts";
import "~/ui/dialog.css";

interface Props {
  title: ReactNode;
  onClose: () => void;
  children: ReactNode;
  /** Buttons at the end; the last one is what the dialog is for. */
  actions?: ReactNode;
  width?: number;
}

export function Dialog({ title, onClose, children, actions, width = 440 }: Props) {
  const t = useTexts(texts);
  return (
    <Modal
      opened
      onClose={onClose}
      title={title}
      size={width}
      centered
      transitionProps={{ duration: 0 }}
      closeButtonProps={{ "aria-label": t.close }}
      classNames={{ content: "dialog", header: "dialog-head", title: "dialog-title", body: "dialog-body" }}
    >
      {children}
      {actions && <div className="dialog-foot">{actions}</div>}
    </Modal>
  );
}

interface ConfirmProps {
  title: string;
  /** What would happen, with its numbers. */
  children: ReactNode;
  /** The verb: "Abort run", never "OK". */
  verb: string;
  /** The way back: "Keep running". */
  keep?: string;
  dangerous?: boolean;
  busy?: boolean;
  onConfirm: () => void;
  onClose: () => void;
}

export function Confirm({ title, children, verb, keep, dangerous = false, busy = false, onConfirm, onClose }: ConfirmProps) {
  const t = useTexts(texts);
  return (
    <Dialog
      title={title}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose} data-autofocus={dangerous || undefined}>{keep ?? t.cancel}</Button>
          <Button tone={dangerous ? "danger-fill" : "primary"} busy={busy} onClick={onConfirm}>{verb}</Button>
        </>
      }
    >
      {children}
    </Dialog>
  );
}

/** A panel from the right, over the page it belongs to. */
export function Drawer({ title, onClose, children, width = 640 }: Omit<Props, "actions">) {
  const t = useTexts(texts);
  const id = useId();
  return (
    <MantineDrawer
      opened
      id={id}
      onClose={onClose}
      title={title}
      position="right"
      size={width}
      transitionProps={{ duration: 0 }}
      closeButtonProps={{ "aria-label": t.close }}
      classNames={{ content: "drawer", header: "dialog-head", title: "dialog-title", body: "dialog-body" }}
    >
      {children}
    </MantineDrawer>
  );
}
