import { expect, it } from "vitest";

import { flaps, isSilent, lagHeight, progress, pulseOf, shortPlace, worstLag, type Health } from "~/features/settings/health";
import { aRun } from "~/test/factories";

const health = (changed: Partial<Health>) => ({ scheduler: "active", lease: null, lag: { samples: [], holders: [] }, ...changed }) as Health;
const lease = { holder: "node-a", epoch: 4, since: "", renewed_at: "", expires_at: "" };

it("finds the sentence: alive, standing by, switched off, or dead", () => {
  expect(pulseOf(health({}))).toBe("alive");
  expect(pulseOf(health({ scheduler: "standby", lease }))).toBe("standby");
  expect(pulseOf(health({ scheduler: "standby" }))).toBe("off");
  expect(pulseOf(health({ scheduler: "error", lease }))).toBe("dead");
});

it("tells a run that takes longer than usual", () => {
  expect(progress(50, 100)).toMatchObject({ over: false });
  expect(progress(50, 100).mark).toBeGreaterThan(0.95);
  const late = progress(200, 100);
  expect([late.over, late.done, late.mark]).toEqual([true, 1, 0.5]);
});

it("keeps the worst lag, and draws it on a logarithmic axis", () => {
  const samples = [{ at: "a", worst_ms: 4 }, { at: "b", worst_ms: 1400 }, { at: "c", worst_ms: 3 }];
  expect(worstLag(health({ lag: { samples, holders: [] } }))?.at).toBe("b");
  expect(worstLag(health({}))).toBeNull();
  expect([lagHeight(0), lagHeight(100), lagHeight(1e9)]).toEqual([1, 0.5, 0]);
});

it("shortens places, counts failures by job, and misses silent replicas", () => {
  expect(shortPlace("/srv/apps/plugins/reporting/fares.py:61 in upsert")).toBe("reporting/fares.py:61 in upsert");
  expect(flaps([aRun({ job: "a" }), aRun({ job: "b" }), aRun({ job: "a" })]).get("a")).toBe(2);
  const replica = { id: "x", host: "x", pid: 1, role: "server", version: "1", started_at: "", beat_at: "2026-11-22T14:00:00Z" };
  expect(isSilent(replica, Date.parse("2026-11-22T14:00:10Z"))).toBe(false);
  expect(isSilent(replica, Date.parse("2026-11-22T14:01:00Z"))).toBe(true);
});
