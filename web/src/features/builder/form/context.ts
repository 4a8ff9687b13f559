/** The session that the fields below belong to. */
import { createContext, use } from "react";

import type { Schema } from "~/features/builder/form/schema";
import { isTable, problemsAt, valueAt, type Path, type Problem } from "~/features/builder/paths";
import type { DraftSession, Seen } from "~/features/builder/session";

export interface Form {
  session: DraftSession;
  seen: Seen;
  schema: Schema;
  /** The saved job; null for a new one. */
  name: string | null;
  /** Nothing can be changed: it ships with the program, or the text cannot be read. */
  disabled: boolean;
}

export const FormOf = createContext<Form | null>(null);

export function useForm(): Form {
  const form = use(FormOf);
  if (form === null) throw new Error("useForm is for fields inside the builder");
  return form;
}

export interface Place<T = unknown> {
  value: T;
  problems: readonly Problem[];
  disabled: boolean;
  /** undefined takes the key away. */
  set: (value: unknown) => void;
}

/** One key: what it says, what is wrong with it, and how to change it. `optional`: the table it is in goes with its last key. */
export function usePlace(path: Path, optional?: Path): Place {
  const { session, seen, disabled } = useForm();
  return {
    value: valueAt(seen.form, path),
    problems: problemsAt(seen.draft?.problems ?? [], path),
    disabled,
    set: (value) => {
      if (value !== undefined) return session.edit({ op: "set", path, value });
      const around = optional === undefined ? undefined : valueAt(session.get().form, optional);
      const last = typeof around === "object" && around !== null && Object.keys(around).length <= 1;
      session.edit({ op: "remove", path: last && optional !== undefined ? optional : path });
    },
  };
}

/** The last key takes its table with it. */
export function removeKey(place: Place, path: Path, key: string, session: DraftSession): void {
  const last = isTable(place.value) && Object.keys(place.value).length <= 1;
  session.edit({ op: "remove", path: last ? path : [...path, key] });
}
