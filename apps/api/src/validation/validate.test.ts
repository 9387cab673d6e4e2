import { expect, test } from "vitest";
import { z } from "zod";
import { bodySchema, JsonObjectSchema, JsonSchema, validate } from "./validate.ts";

const fields = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, at) => [`k${at}`, 1]));

/** What the check says of `input`; null for nothing. */
function problemOf(schema: z.ZodType, input: unknown): string | null {
  try {
    validate(schema, input);
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

test.each([
  ["side by side", fields(28_000)],
  ["in many objects", { input: Array.from({ length: 4_000 }, () => fields(7)) }],
  ["in an object of an object", { a: { b: fields(28_000) } }],
])("an input of 28,000 fields %s is refused before its schema sees it", (_, input) => {
  let seen = 0;
  const counting = z.unknown().refine(() => {
    seen += 1;
    return true;
  });
  expect(problemOf(counting, input)).toBe("The request has more than 20000 fields.");
  expect(seen).toBe(0);
});

test("a free object has at most 5,000 fields, wherever they are in it", () => {
  const schema = z.strictObject({ config: JsonObjectSchema.default({}), input: JsonSchema.optional() });
  expect(problemOf(schema, { config: fields(5_000), input: fields(10_000) })).toBeNull();
  expect(problemOf(schema, { config: fields(5_001) })).toBe("config: has more than 5000 fields");
  expect(problemOf(schema, { config: { a: [fields(5_000)] } })).toBe("config: has more than 5000 fields");
});

test("a long list of numbers is no list of fields", () => {
  expect(problemOf(JsonSchema, Array(100_000).fill(1))).toBeNull();
});

test.each([null, "text", 1, []])("the value %j is no free object", (value) => {
  expect(problemOf(z.strictObject({ config: JsonObjectSchema }), { config: value })).toBe("config: expected an object");
});

test("a free object that is missing has its default, or is named as required", () => {
  expect(validate(z.strictObject({ config: JsonObjectSchema.default({}) }), {})).toEqual({ config: {} });
});

test("a field that may be one of several things is required when it is missing", () => {
  const schema = z.strictObject({ input: z.union([z.string(), z.array(z.string())]) });
  expect(problemOf(schema, {})).toBe("input: is required");
  expect(problemOf(schema, { input: 7 })).toBe("input: is not valid");
  expect(problemOf(schema, { input: ["a", 7] })).toMatch(/^input\.1: /);
});

test("an input nested 100,000 deep is refused and does not overflow the stack", () => {
  const deep = JSON.parse(`${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`);
  expect(problemOf(JsonObjectSchema, deep)).toMatch(/more than 20000 fields/);
  const lists = JSON.parse(`${"[".repeat(100_000)}${"]".repeat(100_000)}`);
  expect(problemOf(JsonSchema, lists)).toBe("is nested deeper than 64");
});

test("null for an optional field of a body is its absence, and for a required one the lack of it", () => {
  const schema = bodySchema({ must: z.string(), may: z.int().optional(), usual: z.int().default(7) });
  expect(validate(schema, { must: "a", may: null, usual: null })).toEqual({ must: "a", usual: 7 });
  expect(() => validate(schema, { must: null })).toThrow(expect.objectContaining({ param: "must" }));
  expect(() => validate(schema, { must: "a", other: null })).toThrow(expect.objectContaining({ param: "other" }));
});

test("an integer beyond 2^53 where a number is expected is named as such", () => {
  expect(() => validate(z.object({ n: z.int() }), { n: 12345678901234567890n })).toThrow(/n: .*beyond 2\^53/);
});
