import { expect, test } from "vitest";
import { schemaProblem } from "./json-schema-form.ts";

test.each([
  [{ type: "banana" }, "type"],
  [{ type: [] }, "type"],
  [{ properties: { a: "string" } }, "properties.a"],
  [{ properties: [] }, "properties"],
  [{ properties: { a: { items: [{ enum: 1 }] } } }, "properties.a.items.0.enum"],
  [{ required: "a" }, "required"],
  [{ anyOf: {} }, "anyOf"],
  [{ additionalProperties: { minLength: -1 } }, "additionalProperties.minLength"],
  [{ $defs: { a: { minimum: "1" } } }, "$defs.a.minimum"],
  ["string", ""],
])("what is no JSON Schema is told with its place: %j", (schema, path) => {
  expect(schemaProblem(schema)?.path.join(".")).toBe(path);
});

test.each([
  {},
  true,
  { type: ["object", "null"], properties: { required: { type: "string" }, type: { const: "banana" } } },
  { properties: { a: { items: true, default: null, enum: [null, 1] } }, required: ["a"], additionalProperties: false },
  { type: "object", description: null, required: null, "x-order": 1 },
  { anyOf: [{ $ref: "#/$defs/a" }, false], $defs: { a: { minimum: 12345678901234567890n } } },
])("a JSON Schema of any draft has its form: %o", (schema) => {
  expect(schemaProblem(schema)).toBeNull();
});
