/** Fields follow from the schema. */
import { expect, it } from "vitest";

import { parted, stepTypes, tableOf, type Schema } from "~/features/builder/form/schema";

const token: Schema = { type: "string", pattern: "^\\$\\{[^{}]*\\}$" };
const ROOT: Schema = {
  $defs: {
    Guard: { type: "object", properties: { min_rows: { anyOf: [{ anyOf: [{ type: "integer" }, { type: "null" }] }, token] } } },
    Reason: { type: "string", enum: ["error", "timeout"] },
    sql_copy: {
      type: "object",
      properties: {
        type: { const: "sql_copy" },
        name: { type: "string" },
        verify: { anyOf: [{ type: "boolean" }, token], default: false },
        mode: { anyOf: [{ type: "string", enum: ["append", "upsert"] }, token], default: "append" },
        guard: { anyOf: [{ $ref: "#/$defs/Guard" }, { type: "null" }], description: "Limits." },
        timeout_seconds: { type: "number", default: 3600 },
        timeout: { type: "number", deprecated: true, description: "Same as `timeout_seconds`." },
        retry_on: { type: "array", items: { $ref: "#/$defs/Reason" } },
        params: { anyOf: [{ type: "object" }, token] },
        body: { description: "anything" },
      },
    },
  },
};

it("one kind of field for each kind of value", () => {
  const kinds = Object.fromEntries(tableOf(ROOT, "sql_copy").map((one) => [one.key, one.kind]));
  expect(kinds).toEqual({
    name: "text", verify: "bool", mode: "choice", guard: "group", timeout_seconds: "number", retry_on: "choices", params: "table", body: "any",
  });
  const [guard] = tableOf(ROOT, "sql_copy").filter((one) => one.key === "guard");
  expect(guard?.fields).toMatchObject([{ key: "min_rows", kind: "number", templated: true }]);
});

it("older spellings belong to their key", () => {
  expect(tableOf(ROOT, "sql_copy").find((one) => one.key === "timeout_seconds")?.spellings).toEqual(["timeout"]);
});

it("what is written stands open, the rest waits", () => {
  expect(stepTypes(ROOT)).toEqual(["sql_copy"]);
  const closed = parted(ROOT, "sql_copy", {});
  expect(closed.main.map((one) => one.key)).toEqual(["mode"]);
  expect(closed.running.map((one) => one.key)).toEqual(["timeout_seconds"]);
  expect(parted(ROOT, "sql_copy", { verify: true }).main.map((one) => one.key)).toEqual(["mode", "verify"]);
});
