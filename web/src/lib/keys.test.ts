import { afterEach, expect, it, vi } from "vitest";

import { bind, setSingleKeys } from "~/lib/keys";

let undo: (() => void)[] = [];
const bound = (keys: string) => {
  const run = vi.fn();
  undo.push(bind([{ keys, does: "", run }]));
  return run;
};
const press = (key: string, more: KeyboardEventInit = {}, target: Element = document.body) =>
  target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more }));

afterEach(() => {
  for (const one of undo) one();
  undo = [];
  setSingleKeys(true);
  document.body.replaceChildren();
});

it("acts on a key, on one with Shift, and on a sequence", () => {
  const [plain, shifted, sequence, asked] = [bound("r"), bound("Shift r"), bound("g j"), bound("?")];
  press("r");
  press("R", { shiftKey: true });
  press("g");
  press("j");
  press("?", { shiftKey: true });
  for (const run of [plain, shifted, sequence, asked]) expect(run).toHaveBeenCalledTimes(1);
});

it("lets fields be typed in, but for keys with Ctrl", () => {
  const [plain, direct] = [bound("r"), bound("Mod k")];
  const input = document.createElement("input");
  document.body.append(input);
  press("r", {}, input);
  press("k", { ctrlKey: true }, input);
  expect(plain).not.toHaveBeenCalled();
  expect(direct).toHaveBeenCalledTimes(1);
});

it("can be switched off, and the binding that came last wins while it is there", () => {
  const below = bound("r");
  const above = bound("r");
  press("r");
  expect(above).toHaveBeenCalledTimes(1);
  expect(below).not.toHaveBeenCalled();
  undo.pop()?.();
  press("r");
  expect(below).toHaveBeenCalledTimes(1);
  setSingleKeys(false);
  press("r");
  expect(below).toHaveBeenCalledTimes(1);
});

it("does nothing under a dialog", () => {
  const run = bound("r");
  const dialog = document.createElement("div");
  dialog.setAttribute("role", "dialog");
  document.body.append(dialog);
  press("r");
  expect(run).not.toHaveBeenCalled();
});
