/** Text and form are one thing, whatever arrives in which order. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { applied, valueAt } from "~/features/builder/paths";
import { DraftSession, type Asked, type Draft } from "~/features/builder/session";

/** A server that writes definitions as JSON instead of TOML. */
function draftOf(toml: string): Draft {
  let definition: unknown = null;
  try {
    definition = JSON.parse(toml);
  } catch {
    // Does not parse.
  }
  return { toml, definition, effective: definition, ok: definition !== null, problems: [], warnings: [], schedules: [] };
}
const answer = ({ toml, changes }: Asked): Draft =>
  draftOf(changes.length === 0 ? toml : JSON.stringify(applied(JSON.parse(toml), changes)));

const FIRST = '{"name":"a","schedule":"@daily"}';
const base = { text: FIRST, revision: "1", version: 1, definition: JSON.parse(FIRST) as unknown };

function started(ask: (asked: Asked) => Promise<Draft>): DraftSession {
  return new DraftSession(ask, FIRST, draftOf(FIRST), base);
}

describe("a session", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("shows a change of the form at once and has it in the text a moment later", async () => {
    const session = started((asked) => Promise.resolve(answer(asked)));
    session.edit({ op: "set", path: ["schedule"], value: "@hourly" });
    expect(valueAt(session.get().form, ["schedule"])).toBe("@hourly");
    expect(session.get()).toMatchObject({ busy: true, dirty: true, text: FIRST });
    await vi.runAllTimersAsync();
    expect(session.get()).toMatchObject({ busy: false, dirty: true, text: '{"name":"a","schedule":"@hourly"}' });
  });

  it("sends what was typed into one field as one change", async () => {
    const asked: Asked[] = [];
    const session = started((one) => {
      asked.push(one);
      return Promise.resolve(answer(one));
    });
    for (const value of ["@h", "@ho", "@hourly"]) session.edit({ op: "set", path: ["schedule"], value });
    await vi.runAllTimersAsync();
    expect(asked).toEqual([{ toml: FIRST, changes: [{ op: "set", path: ["schedule"], value: "@hourly" }] }]);
  });

  it("makes the form's change once more when the text was typed in meanwhile", async () => {
    let first: ((draft: Draft) => void) | null = null;
    const session = started((asked) => (first === null ? new Promise((done) => (first = done)) : Promise.resolve(answer(asked))));
    session.edit({ op: "set", path: ["schedule"], value: "@hourly" });
    await vi.advanceTimersByTimeAsync(200);
    session.type('{"name":"b","schedule":"@daily"}');
    (first as ((draft: Draft) => void) | null)?.(draftOf('{"name":"a","schedule":"@hourly"}'));
    await vi.runAllTimersAsync();
    expect(session.get().text).toBe('{"name":"b","schedule":"@hourly"}');
    expect(session.get().form).toEqual({ name: "b", schedule: "@hourly" });
  });

  it("keeps the last form while the text cannot be read, and takes no change of it", async () => {
    const session = started((asked) => Promise.resolve(answer(asked)));
    session.type("{");
    await vi.runAllTimersAsync();
    session.edit({ op: "remove", path: ["schedule"] });
    expect(session.get()).toMatchObject({ unreadable: true, text: "{", form: { name: "a", schedule: "@daily" } });
    session.type(FIRST);
    await vi.runAllTimersAsync();
    expect(session.get()).toMatchObject({ unreadable: false, dirty: false });
  });

  it("drops a change that was refused and says why", async () => {
    const session = started((asked) => (asked.changes.length > 0 ? Promise.reject(new Error("edit the text")) : Promise.resolve(answer(asked))));
    session.edit({ op: "remove", path: ["schedule"] });
    await vi.runAllTimersAsync();
    expect(session.get().refused?.message).toBe("edit the text");
    expect(session.get()).toMatchObject({ busy: false, text: FIRST, form: { schedule: "@daily" } });
  });

  it("is settled once the last change is written", async () => {
    const session = started((asked) => new Promise((done) => setTimeout(() => done(answer(asked)), 500)));
    session.edit({ op: "set", path: ["schedule"], value: "@hourly" });
    const settled = session.settled();
    await vi.runAllTimersAsync();
    expect((await settled).text).toContain("@hourly");
  });

  it("keeps ours or takes theirs when the file has changed", async () => {
    const session = started((asked) => Promise.resolve(answer(asked)));
    session.type('{"name":"mine"}');
    await vi.runAllTimersAsync();
    const theirs = { text: '{"name":"theirs"}', revision: "2", version: 2, definition: { name: "theirs" } };
    session.rebase(theirs);
    expect(session.get()).toMatchObject({ text: '{"name":"mine"}', dirty: true, base: { revision: "2" } });
    session.rebase(theirs, draftOf(theirs.text));
    expect(session.get()).toMatchObject({ text: theirs.text, dirty: false, form: { name: "theirs" } });
    session.type("{");
    session.discard();
    await vi.runAllTimersAsync();
    expect(session.get()).toMatchObject({ text: theirs.text, dirty: false });
  });
});
