import { expect, test } from "vitest";
import { compileSchema } from "./json-schema.ts";

const check = compileSchema({
  $schema: "http://json-schema.org/draft-07/schema#",
  type: "object",
  properties: { name: { type: "string", pattern: "^[a-z]+$" }, tags: { type: "array", items: { type: "integer" } } },
  required: ["name"],
  additionalProperties: false,
});

test("a value that fits has no problem, and any other has one that names the place", () => {
  expect(check({ name: "ann", tags: [1] })).toBeNull();
  expect(check({})).toBe("the value must have required property 'name'");
  expect(check({ name: "ann", tags: ["x"] })).toBe("tags.0 must be integer");
  expect(check({ name: "ann", more: 1 })).toBe("the value must NOT have additional properties (more)");
  expect(check({ name: "Ann" })).toMatch(/name must match pattern/);
});

test.each([
  ["a wrong type", { type: "strin" }],
  ["a reference to elsewhere", { $ref: "https://example.com/schema.json" }],
  ["an invalid pattern", { type: "string", pattern: "(" }],
])("a schema with %s is refused", (_, schema) => {
  expect(() => compileSchema(schema)).toThrow();
});

test("a schema can be compiled several times, even with an $id", () => {
  const schema = { $id: "https://example.com/a.json", type: "integer" };
  expect(compileSchema(schema)(1)).toBeNull();
  expect(compileSchema({ ...schema, type: "string" })(1)).not.toBeNull();
});

test("a pattern with exponential backtracking is checked in linear time", () => {
  expect(compileSchema({ type: "string", pattern: "^(a+)+$" })(`${"a".repeat(5_000)}!`)).not.toBeNull();
});

test("a schema's keyword $async is ignored: it would turn a failed check into an unhandled rejection", () => {
  expect(compileSchema({ $async: true, type: "object", required: ["n"] })({})).toMatch(/required property 'n'/);
});

/** Each definition refers to the next one twice, so a check takes 2^40 steps. */
const forking = () => {
  const next = (at: number) => ({ $ref: `#/$defs/d${at}` });
  const forks = Array.from({ length: 40 }, (_, at) => [`d${at}`, { allOf: [next(at + 1), next(at + 1)] }]);
  return { ...next(0), $defs: { ...Object.fromEntries(forks), d40: { type: "object" } } };
};

test("a check beyond its time limit is stopped, and later checks work", () => {
  const endless = compileSchema(forking());
  expect(endless({})).toBe("it takes more than 1 s to check");
  const many = Array.from({ length: 40_000 }, (_, at) => ({ at }));
  expect(compileSchema({ type: "array", uniqueItems: true })(many)).toMatch(/to check/);
  expect(check({ name: "ann" })).toBeNull();
});
