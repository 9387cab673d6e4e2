import { expect, test } from "vitest";
import { providerSchema } from "./tool-schemas.ts";

const EMPTY = { type: "object", properties: {} };

test.each<[what: string, given: unknown, mended: unknown]>([
  ["no schema", undefined, EMPTY],
  ["null", null, EMPTY],
  ["true", true, EMPTY],
  ["an empty schema", {}, EMPTY],
  ["an object without properties", { type: "object" }, EMPTY],
  ["properties that are null", { type: "object", properties: null, required: null, description: null }, EMPTY],
  ["another type at the top", { type: "array", description: "x" }, { ...EMPTY, description: "x", items: {} }],
  ["a nullable object", { type: ["object", "null"], properties: { a: {} } }, { type: "object", properties: { a: {} } }],
  [
    "properties without a type",
    { properties: { a: { type: "string" } } },
    { type: "object", properties: { a: { type: "string" } } },
  ],
  ["$schema", { $schema: "http://json-schema.org/draft-07/schema#", $id: "x", $comment: "y", type: "object" }, EMPTY],
  [
    "an array without items",
    {
      type: "object",
      properties: { a: { type: "array" }, b: { type: ["array", "null"] }, c: { type: "array", items: true } },
    },
    {
      type: "object",
      properties: {
        a: { type: "array", items: {} },
        b: { type: ["array", "null"], items: {} },
        c: { type: "array", items: {} },
      },
    },
  ],
  [
    "a tuple of an older draft",
    { type: "object", properties: { a: { type: "array", items: [{ type: "string" }, { type: "number" }] } } },
    {
      type: "object",
      properties: { a: { type: "array", items: { anyOf: [{ type: "string" }, { type: "number" }] } } },
    },
  ],
  [
    "boolean schemas and nested objects",
    { type: "object", properties: { any: true, none: false, deep: { type: "object" } }, additionalProperties: false },
    { type: "object", properties: { any: {}, none: { not: {} }, deep: EMPTY }, additionalProperties: false },
  ],
  [
    "required names that are no properties, or no list",
    { type: "object", properties: { a: { type: "string", required: true } }, required: ["a", "b", "a", 7] },
    { type: "object", properties: { a: { type: "string" } }, required: ["a"] },
  ],
  [
    "an empty enum",
    { type: "object", properties: { a: { type: "string", enum: [] } } },
    { type: "object", properties: { a: { type: "string" } } },
  ],
  [
    "choices at the top",
    {
      anyOf: [{ type: "object", properties: { a: { type: "string" } }, required: ["a"] }, { $ref: "#/$defs/b" }],
      $defs: { b: { type: "object", properties: { b: { type: "number" } }, required: ["b"] } },
    },
    {
      type: "object",
      properties: { a: { type: "string" }, b: { type: "number" } },
      $defs: { b: { type: "object", properties: { b: { type: "number" } }, required: ["b"] } },
    },
  ],
  [
    "allOf at the top",
    { type: "object", properties: { a: {} }, required: ["a"], allOf: [{ properties: { b: {} }, required: ["b"] }] },
    { type: "object", properties: { b: {}, a: {} }, required: ["a", "b"] },
  ],
])("a tool schema with %s is mended", (_, given, mended) => {
  expect(providerSchema(given)).toEqual(mended);
  expect(providerSchema(mended)).toEqual(mended);
});

test("a schema that needs no mending stays as it is, values and names of JavaScript included", () => {
  const schema = JSON.parse(`{
    "type": "object",
    "properties": {
      "items": { "type": "string", "default": null, "enum": ["a", null], "const": null },
      "constructor": { "type": "integer", "minimum": 0 },
      "__proto__": { "type": "boolean" },
      "list": { "type": "array", "items": { "$ref": "#/$defs/n" }, "default": [null, { "type": "array" }] }
    },
    "required": ["items", "__proto__"],
    "additionalProperties": { "type": "string" },
    "$defs": { "n": { "type": "number" } }
  }`);
  expect(JSON.stringify(providerSchema(schema))).toBe(JSON.stringify(schema));
});

test("a schema that is nested without end, or in a circle, is cut off", () => {
  const circle: Record<string, unknown> = { type: "object" };
  circle.properties = { again: circle };
  expect(JSON.stringify(providerSchema(circle)).length).toBeLessThan(10_000);
});
