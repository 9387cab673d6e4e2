import { expect, test } from "vitest";
import {
  readJson,
  readLines,
  readNumber,
  readText,
  Unreadable,
  writeJson,
  writeLines,
  writeValue,
  writeVisibly,
} from "./draft.ts";
import { fieldOf } from "./field.ts";
import { isValid, problemOf } from "./problems.ts";

test.each([
  [{ type: "string", minLength: 2 }, "ä", { kind: "shortest", bound: 2 }],
  [{ type: "string", maxLength: 2 }, "😀😀", null],
  [{ type: "string", maxLength: 1 }, "😀😀", { kind: "longest", bound: 1 }],
  [{ type: "string", pattern: "^[a-z]+$" }, "A", { kind: "pattern", pattern: "^[a-z]+$" }],
  [{ type: "string", pattern: "[" }, "A", null],
  [{ type: "number", minimum: 0, maximum: 2 }, 2.5, { kind: "most", bound: 2 }],
  [{ type: "number", minimum: 0 }, -1, { kind: "least", bound: 0 }],
  [{ type: "number", exclusiveMinimum: 0 }, 0, { kind: "above", bound: 0 }],
  [{ type: "number", exclusiveMaximum: 1 }, 1, { kind: "below", bound: 1 }],
  [{ type: "integer" }, 1.5, { kind: "not_an_integer" }],
  [{ type: "integer" }, new Unreadable("1x"), { kind: "not_a_number" }],
  [{ enum: ["a"] }, "b", { kind: "not_a_choice" }],
  [{ type: "array", items: { type: "string" }, minItems: 2 }, ["a"], { kind: "fewest", bound: 2 }],
  [{ type: "array", items: { type: "string", maxLength: 1 } }, ["a", "bc"], { kind: "longest", bound: 1 }],
  [{ type: "array", maxItems: 1 }, [1, 2], { kind: "most_items", bound: 1 }],
  [{ type: "object" }, [], { kind: "not_of_type", type: "object" }],
  [{ type: ["string", "array"] }, 1, { kind: "not_of_type", type: "string | array" }],
  [{}, new Unreadable("{"), { kind: "not_json" }],
  [{}, new Unreadable("[9007199254740993]", true), { kind: "not_exact" }],
  [{ type: ["string", "null"], minLength: 3 }, null, null],
])("%j of %j", (schema, value, problem) => {
  expect(problemOf(fieldOf(schema), value, true)).toEqual(problem);
});

test("what is needed within a group is needed once the group is there", () => {
  const schema = {
    type: "object",
    properties: {
      name: { type: "string" },
      plan: { type: "object", properties: { steps: { type: "array" } }, required: ["steps"] },
    },
    required: ["name"],
  };
  expect(isValid(schema, undefined)).toBe(false);
  expect(isValid(schema, { name: "n" })).toBe(true);
  expect(isValid(schema, { name: "n", plan: {} })).toBe(false);
  expect(isValid(schema, { name: "n", plan: { steps: new Unreadable("[") } })).toBe(false);
  expect(isValid(schema, { name: "n", plan: { steps: [] } })).toBe(true);
  expect(isValid({ type: "object", properties: { a: {} } }, undefined)).toBe(true);
});

test("what is typed is a value, nothing, or unreadable", () => {
  expect([readText(""), readText(" a")]).toEqual([undefined, " a"]);
  expect(["", " ", "-1.50", "1e3", "."].map(readNumber)).toEqual([
    ...[undefined, undefined, -1.5, 1000],
    new Unreadable("."),
  ]);
  expect(["0x", "Infinity", "-"].map(readNumber)).toEqual(["0x", "Infinity", "-"].map((one) => new Unreadable(one)));
  expect([readJson(" "), readJson("[1]"), readJson("null")]).toEqual([undefined, [1], null]);
  expect(readJson("{")).toEqual(new Unreadable("{"));
  expect([readLines("a\n\n b \n"), readLines("\n")]).toEqual([["a", "b"], undefined]);
});

test.each([
  ["9007199254740991", true],
  ["-9007199254740993", false],
  ["9007199254740993", false],
  // Its digits are those that are shown and sent.
  ["9007199254740992", true],
  ["1234567890123456789012345", false],
  ["1e30", true],
  ["0.1", true],
  ["1e999", false],
])("%s is sent as it is written: %s", (written, isExact) => {
  const inexact = expect.objectContaining({ isInexact: true });
  expect(readNumber(written)).toEqual(isExact ? Number(written) : expect.anything());
  expect(readJson(`{"a":[${written}]}`)).toEqual(isExact ? { a: [Number(written)] } : inexact);
  if (!isExact) expect(readNumber(written)).toMatchObject({ text: written });
});

test("a value is written visibly, and is read as the same", () => {
  const value = { "a\u202eb": "pay\u2066 \u200b\u2028\u00ad\u{e0041}\u0085 你好", list: ["\ufeff"] };
  const written = writeVisibly(value);
  expect(written).toBe(`{
  "a\\u202eb": "pay\\u2066 \\u200b\\u2028\\u00ad\\udb40\\udc41\\u0085 你好",
  "list": [
    "\\ufeff"
  ]
}`);
  expect(readJson(written)).toEqual(value);
});

test("a value is written as it is typed", () => {
  expect([writeValue(undefined), writeValue(1.5), writeValue("a")]).toEqual(["", "1.5", "a"]);
  expect([writeLines(["a", "b"]), writeLines([1])]).toEqual(["a\nb", "[\n  1\n]"]);
  expect([writeJson("a"), writeJson(null), writeJson(undefined)]).toEqual(['"a"', "null", ""]);
  expect(JSON.stringify({ a: new Unreadable("{") })).toBe('{"a":"{"}');
});
