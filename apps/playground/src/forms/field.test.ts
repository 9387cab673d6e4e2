import { expect, test } from "vitest";
import { asSchema, completed, type Field, fieldOf, hasFields } from "./field.ts";
import { isValid } from "./problems.ts";

const inGroup = (schema: unknown, name: string): Field => {
  const group = fieldOf(schema);
  const found = group.kind === "group" ? group.properties.find((property) => property.name === name) : undefined;
  if (found === undefined) throw new Error(`no property ${name}`);
  return found.field;
};

test.each([
  [{ type: "string" }, "text"],
  [{ type: "number" }, "number"],
  [{ type: "integer" }, "number"],
  [{ type: "boolean" }, "choice"],
  [{ enum: ["a", "b"] }, "choice"],
  [{ const: 4 }, "choice"],
  [{ anyOf: [{ const: "a" }, { const: "b" }] }, "choice"],
  [{ type: "array", items: { type: "string" } }, "texts"],
  [{ type: "array", items: { type: "string", enum: ["a"] } }, "texts"],
  [{ type: "array", items: { type: "number" } }, "json"],
  [{ type: "array" }, "json"],
  [{ type: "object", properties: { a: {} } }, "group"],
  [{ type: "object", additionalProperties: {} }, "json"],
  [{ type: "object", properties: {}, additionalProperties: {} }, "json"],
  [{ type: "object" }, "json"],
  [{ type: "object", properties: {}, additionalProperties: false }, "group"],
  [{ anyOf: [{ type: "string" }, { type: "number" }] }, "json"],
  [{ allOf: [{ type: "string" }] }, "json"],
  [{}, "json"],
  [true, "json"],
  [null, "json"],
])("%j is a field of kind %s", (schema, kind) => {
  expect(fieldOf(schema)).toMatchObject({ kind, isNullable: false });
});

test.each([
  [{ type: ["string", "null"], maxLength: 5 }, "text", { maxLength: 5 }],
  [{ anyOf: [{ type: "integer", minimum: 2 }, { type: "null" }], description: "d" }, "number", { description: "d" }],
  [{ oneOf: [{ type: "null" }, { type: "string" }] }, "text", { type: "string" }],
  [{ enum: ["a", null] }, "choice", { enum: ["a"] }],
  [{ anyOf: [{ type: "string" }, { type: "number" }, { type: "null" }] }, "json", {}],
])("%j may be null", (schema, kind, inner) => {
  expect(fieldOf(schema)).toMatchObject({ kind, isNullable: true, schema: inner });
});

test("references are followed through $defs, and what stands beside one overrules it", () => {
  const schema = {
    type: "object",
    properties: {
      colour: { $ref: "#/$defs/colour", description: "of the wall" },
      list: { type: "array", items: { $ref: "#/$defs/colour" } },
      maybe: { anyOf: [{ $ref: "#/$defs/size~1cm" }, { type: "null" }] },
      lost: { $ref: "#/$defs/nothing" },
      outside: { $ref: "https://example.com/schema" },
      loop: { $ref: "#/$defs/loop" },
    },
    $defs: {
      colour: { type: "string", enum: ["red", "blue"], description: "a colour" },
      "size/cm": { type: "number", minimum: 1 },
      loop: { $ref: "#/$defs/loop" },
    },
  };
  expect(inGroup(schema, "colour")).toMatchObject({ kind: "choice", schema: { description: "of the wall" } });
  expect(inGroup(schema, "list")).toMatchObject({ kind: "texts", values: ["red", "blue"] });
  expect(inGroup(schema, "maybe")).toMatchObject({ kind: "number", isNullable: true, schema: { minimum: 1 } });
  for (const name of ["lost", "outside", "loop"]) expect(inGroup(schema, name).kind).toBe("json");
});

test("a schema that contains itself ends in JSON", () => {
  let field = fieldOf({ type: "object", properties: { child: { $ref: "#" } } });
  const kinds: string[] = [];
  for (;;) {
    kinds.push(field.kind);
    if (field.kind !== "group") break;
    const [child] = field.properties;
    if (child === undefined) break;
    field = child.field;
  }
  expect(kinds).toEqual(["group", "group", "group", "group", "json"]);
});

test("names of properties are data, however they read", () => {
  const schema = JSON.parse('{"type":"object","properties":{"__proto__":{"type":"string"},"constructor":{}}}');
  const group = fieldOf(schema);
  expect(group.kind === "group" && group.properties.map(({ name }) => name)).toEqual(["__proto__", "constructor"]);
  expect(fieldOf({ $ref: "#/constructor" }).kind).toBe("json");
  expect(asSchema([1])).toEqual({});
});

test("an object without properties has no field, and is {}", () => {
  const empty = { type: "object", properties: {}, additionalProperties: false };
  const of = (schema: unknown, value?: unknown) => completed(fieldOf(schema), value);
  expect([hasFields(fieldOf(empty)), isValid(empty, undefined), of(empty)]).toEqual([false, true, {}]);
  expect([isValid({ type: "object" }, undefined), of({ type: "object" })]).toEqual([true, {}]);
  const schema = {
    type: "object",
    properties: { name: { type: "string" }, needed: empty, open: { type: "object" }, other: empty, size: {} },
    required: ["needed", "open"],
  };
  expect(isValid(schema, { name: "n" })).toBe(true);
  expect([of(schema), of(schema, { name: "n", size: null })]).toEqual([
    { needed: {}, open: {} },
    { name: "n", needed: {}, open: {}, size: null },
  ]);
  const listing = { type: "object", additionalProperties: {}, required: ["a"] };
  expect([isValid(listing, undefined), of(listing), of({ type: "string" })]).toEqual([false, undefined, undefined]);
});
