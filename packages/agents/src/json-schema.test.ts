import { expect, test } from "vitest";
import { compileSchema } from "./json-schema.ts";

const check = compileSchema({
  $schema: "http://json-schema.org/draft-07/schema#",
  type: "object",
  properties: { name: { type: "string", pattern: "^[a-z]+$" }, tags: { type: "array", items: { type: "integer" } } },
  required: ["name"],
  additionalProperties: false,
});

test("a value that fits has no problem, another has one in words", () => {
  expect(check({ name: "ann", tags: [1] })).toBeNull();
  expect(check({})).toBe("the value must have required property 'name'");
  expect(check({ name: "ann", tags: ["x"] })).toBe("tags.0 must be integer");
  expect(check({ name: "ann", more: 1 })).toBe("the value must NOT have additional properties (more)");
  expect(check({ name: "Ann" })).toMatch(/name must match pattern/);
});

test.each([
  ["a wrong type", { type: "strin" }],
  ["a reference to elsewhere", { $ref: "https://example.com/schema.json" }],
  ["a pattern that is none", { type: "string", pattern: "(" }],
])("%s is refused", (_, schema) => {
  expect(() => compileSchema(schema)).toThrow();
});

test("one schema may be compiled again, also with an $id", () => {
  const schema = { $id: "https://example.com/a.json", type: "integer" };
  expect(compileSchema(schema)(1)).toBeNull();
  expect(compileSchema({ ...schema, type: "string" })(1)).not.toBeNull();
});

test("a pattern that would take a backtracking engine for ever is answered", () => {
  expect(compileSchema({ type: "string", pattern: "^(a+)+$" })(`${"a".repeat(5_000)}!`)).not.toBeNull();
});
