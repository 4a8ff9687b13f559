/**
 * The keys of the page. A component says `useKeys([{ keys: "g j", does: t.goJobs, run }])`; `?` lists what is bound now.
 *
 * Single keys do nothing while a field is being typed in or a dialog is open, and can be switched off (a WCAG rule);
 * `Mod` is Ctrl, or Command on a Mac, and always works. A later binding of the same key wins while it is mounted.
 */
import { useEffect, useRef } from "react";

import { remember, remembered } from "~/lib/storage";
import { store } from "~/lib/store";

export interface Binding {
  /** "?", "Shift r", "g j" (one after the other), "Mod k". */
  keys: string;
  /** What the list of keys says. */
  does: string;
  run: () => void;
}

const SEQUENCE_MS = 1200;
const bound: Binding[] = [];
export const bindings = store<readonly Binding[]>([]);
export const singleKeys = store<boolean>(remembered("single-keys") !== "off");

export function setSingleKeys(on: boolean): void {
  remember("single-keys", on ? null : "off");
  singleKeys.set(on);
}

let first: { key: string; at: number } | null = null;

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return true;
  return target instanceof HTMLInputElement && !["checkbox", "radio", "button"].includes(target.type);
}

export function pressed(event: KeyboardEvent): string {
  const key = event.key.length === 1 && !event.shiftKey ? event.key.toLowerCase() : event.key;
  if (event.ctrlKey || event.metaKey) return `Mod ${key.toLowerCase()}`;
  // A letter with Shift is written "Shift r"; "?" already says it was typed with Shift.
  return event.shiftKey && /^[A-Z]$/.test(key) ? `Shift ${key.toLowerCase()}` : key;
}

function find(keys: string): Binding | undefined {
  return bound.findLast((one) => one.keys === keys);
}

export function onKey(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.altKey || event.isComposing) return;
  const key = pressed(event);
  const direct = key.startsWith("Mod ");
  if (!direct) {
    if (!singleKeys.get() || isTyping(event.target) || document.querySelector('[role="dialog"]') !== null) return;
    if (first !== null && performance.now() - first.at < SEQUENCE_MS) {
      const both = find(`${first.key} ${key}`);
      first = null;
      if (both !== undefined) return act(event, both);
    }
    if (bound.some((one) => one.keys.startsWith(`${key} `) && key !== "Shift")) {
      first = { key, at: performance.now() };
      return;
    }
  }
  const found = find(key);
  if (found !== undefined) act(event, found);
}

document.addEventListener("keydown", onKey);

function act(event: KeyboardEvent, binding: Binding): void {
  event.preventDefault();
  binding.run();
}

export function bind(wanted: readonly Binding[]): () => void {
  bound.push(...wanted);
  bindings.set([...bound]);
  return () => {
    for (const one of wanted) bound.splice(bound.indexOf(one), 1);
    bindings.set([...bound]);
  };
}

/** Bind while the component is mounted. What the keys do may change from render to render; which keys there are may too. */
export function useKeys(wanted: readonly Binding[]): void {
  const latest = useRef(wanted);
  useEffect(() => {
    latest.current = wanted;
  });
  const shape = wanted.map((one) => `${one.keys}\t${one.does}`).join("\n");
  useEffect(() => {
    if (shape === "") return;
    return bind(
      shape.split("\n").map((line, index) => {
        const [keys = "", does = ""] = line.split("\t");
        return { keys, does, run: () => latest.current[index]?.run() };
      }),
    );
  }, [shape]);
}
