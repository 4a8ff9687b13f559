/** A menu behind a button, loaded when the pointer or the focus comes near. Entries one may not use are left out by the caller. */
import { cloneElement, lazy, Suspense, useState, type ComponentPropsWithRef, type ReactElement } from "react";

import type { IconName } from "~/ui/Icon";

export interface Entry {
  label: string;
  icon?: IconName;
  keys?: string;
  dangerous?: boolean;
  run: () => void;
}

export interface MenuProps {
  button: ReactElement<ComponentPropsWithRef<"button">>;
  entries: readonly Entry[];
  heading?: string;
}

const load = () => import("~/ui/OpenMenu");
const OpenMenu = lazy(load);

export function Menu(props: MenuProps) {
  const [wanted, setWanted] = useState(false);
  const near = () => void load();
  const closed = cloneElement(props.button, {
    "aria-haspopup": "menu",
    "aria-expanded": false,
    onClick: () => setWanted(true),
    onPointerEnter: near,
    onFocus: near,
  });
  if (!wanted) return closed;
  return (
    <Suspense fallback={closed}>
      <OpenMenu {...props} />
    </Suspense>
  );
}
