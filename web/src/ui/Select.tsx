/** A plain list to choose from, with the browser's own picker: short lists, and phones. */
import type { ComponentPropsWithRef } from "react";

import { Icon } from "~/ui/Icon";

type Props = Omit<ComponentPropsWithRef<"select">, "onChange"> & { onChange: (value: string) => void; changed?: boolean };

export function Select({ onChange, changed = false, className = "", ...rest }: Props) {
  return (
    <span className="sel">
      <select {...rest} className={`input ${changed ? "ch" : ""} ${className}`.trim()} onChange={(event) => onChange(event.currentTarget.value)} />
      <Icon name="down" />
    </span>
  );
}
