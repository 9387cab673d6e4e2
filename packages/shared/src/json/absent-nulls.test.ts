import { expect, test } from "vitest";
import { withoutAbsentNulls } from "./absent-nulls.ts";

const schema = {
  type: "object",
  properties: {
    must: { type: "string" },
    may: { type: "string" },
    takes: { type: ["string", "null"] },
    either: { anyOf: [{ type: "integer" }, { type: "null" }] },
    neither: { anyOf: [{ type: "integer" }, { type: "string" }] },
    any: {},
    one: { enum: ["a", "b"] },
    ref: { $ref: "#/$defs/text" },
    circle: { $ref: "#/$defs/circle" },
    inner: { type: "object", properties: { may: { type: "integer" } } },
    list: { type: "array", items: { type: "object", properties: { may: { type: "integer" } } } },
  },
  required: ["must"],
  $defs: { text: { type: "string" }, circle: { $ref: "#/$defs/circle" } },
};

test("null is dropped where a field may be absent and does not take null", () => {
  const value = {
    ...{ must: null, may: null, takes: null, either: null, neither: null, any: null, one: null, ref: null },
    ...{ circle: null, unknown: null, constructor: null, inner: { may: null }, list: [{ may: null }, null] },
  };
  expect(withoutAbsentNulls(schema, value)).toEqual({
    ...{ must: null, takes: null, either: null, any: null, circle: null, unknown: null, constructor: null },
    ...{ inner: {}, list: [{}, null] },
  });
});

test("a value without such nulls is returned itself", () => {
  const value = { must: "a", takes: null, list: [{ may: 1 }] };
  expect(withoutAbsentNulls(schema, value)).toBe(value);
  for (const other of [null, 1, "text", [null]]) expect(withoutAbsentNulls(schema, other)).toBe(other);
});
