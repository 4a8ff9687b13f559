/** Changes of a definition come to the same here as on the server. */
import { expect, it } from "vitest";

import { applied, differences, joined, problemsAt, valueAt, type Problem } from "~/features/builder/paths";

const JOB = { name: "a", steps: [{ name: "one", params: { x: 1 } }, { name: "two" }, { name: "three" }] };

it("sets, removes, inserts and moves", () => {
  const names = (job: unknown) => (valueAt(job, ["steps"]) as readonly unknown[]).map((one) => valueAt(one, ["name"]));
  expect(names(applied(JOB, [{ op: "move", path: ["steps", 2], to: 0 }]))).toEqual(["three", "one", "two"]);
  expect(names(applied(JOB, [{ op: "move", path: ["steps", 0], to: 1 }]))).toEqual(["two", "one", "three"]);
  expect(names(applied(JOB, [{ op: "remove", path: ["steps", 1] }]))).toEqual(["one", "three"]);
  expect(names(applied(JOB, [{ op: "insert", path: ["steps", 1], value: { name: "new" } }]))).toEqual(["one", "new", "two", "three"]);
  expect(applied(JOB, [{ op: "set", path: ["retry", "attempts"], value: 3 }])).toEqual({ ...JOB, retry: { attempts: 3 } });
  expect(valueAt(applied(JOB, [{ op: "remove", path: ["steps", 0, "params", "x"] }]), ["steps", 0, "params"])).toEqual({});
  expect(applied(JOB, [{ op: "remove", path: ["retry", "attempts"] }])).toEqual(JOB);
  expect(JOB.steps).toHaveLength(3);
});

it("joins the changes of one key, never those of places in a list", () => {
  const set = (value: string) => ({ op: "set" as const, path: ["schedule"], value });
  expect(joined([set("a")], set("b"))).toEqual([set("b")]);
  expect(joined([{ op: "set", path: ["x"], value: 1 }], set("b"))).toHaveLength(2);
  const remove = { op: "remove" as const, path: ["steps", 0] };
  expect(joined([remove], remove)).toHaveLength(2);
});

it("tells what differs key by key", () => {
  const now = { name: "a", retry: { attempts: 2 }, steps: [{ name: "one", params: { x: 2 } }, { name: "two" }, { name: "three" }] };
  expect(differences(JOB, now)).toEqual([
    { key: "steps[0].params.x", before: 1, after: 2 },
    { key: "retry", before: undefined, after: { attempts: 2 } },
  ]);
});

it("finds the problems of a place, and of all below it", () => {
  const problem = { path: ["steps", 1, "query"], message: "wrong" } as unknown as Problem;
  expect(problemsAt([problem], ["steps", 1, "query"])).toHaveLength(1);
  expect(problemsAt([problem], ["steps", 1])).toHaveLength(0);
  expect(problemsAt([problem], ["steps", 1], true)).toHaveLength(1);
});
