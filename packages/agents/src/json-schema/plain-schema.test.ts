import { expect, test } from "vitest";
import { compileSchema } from "./json-schema.ts";
import { plainCharsOf } from "./plain-schema.ts";

const times = <Part>(count: number, part: (at: number) => Part) => Array.from({ length: count }, (_, at) => part(at));

test("schemas as generators write them are plain, also with properties that are named like keywords", () => {
  const properties = { $ref: { type: "string" }, pattern: { enum: ["a", null] }, unknown: { const: { $ref: 1 } } };
  const schema = {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    type: "object",
    properties: { ...properties, list: { type: "array", items: { anyOf: [{ type: "integer" }, { type: "null" }] } } },
    required: ["$ref"],
    additionalProperties: false,
    $defs: { unused: { type: "object", properties } },
  };
  expect(plainCharsOf(schema)).toBeGreaterThan(20_000);
});

test.each([
  ["a reference", { $ref: "#" }],
  ["a dynamic reference", { items: { $dynamicRef: "#x" } }],
  ["a reference of draft 2019-09", { properties: { a: { allOf: [{ $recursiveRef: "#" }] } } }],
  ["a keyword that nobody knows", { if: { nextRef: "#" } }],
  ["a keyword below a list", { anyOf: [{}, { prefixItems: [{ contains: {} }] }] }],
  ["a keyword below a name", { dependentSchemas: { a: { unevaluatedProperties: false } } }],
  ["a pattern", { propertyNames: { pattern: "a" } }],
  ["ids", { allOf: [{ $id: "a" }] }],
  ["many parts", { enum: times(300, (at) => at) }],
  ["long names", { properties: { ["p".repeat(2_001)]: {} } }],
  ["alternatives below names of the value", { additionalProperties: { items: { anyOf: [{ type: "null" }, {}] } } }],
])("a schema with %s is not plain", (_, schema) => {
  expect(plainCharsOf(schema)).toBe(0);
});

/** Each with a value that is as slow as its characters allow. */
const SLOWEST: readonly [string, object, (chars: number) => unknown][] = [
  ["alternatives", { items: { anyOf: [...times(140, () => ({ type: "string" })), {}] } }, ones],
  ["exclusive alternatives", { items: { oneOf: [...times(140, () => ({ type: "string" })), {}] } }, ones],
  ["conditions", { items: { allOf: times(45, () => ({ if: { type: "null" }, else: { minimum: 0 } })) } }, ones],
  ["negations", { items: { allOf: times(90, () => ({ not: { type: "string" } })) } }, ones],
  ["members", { items: { enum: times(280, (at) => at + 10) } }, (chars) => Array(Math.floor(chars / 4) - 1).fill(289)],
  ["missing names", { items: { anyOf: [...times(90, () => ({ required: ["a"] })), {}] } }, empties],
  ["names", { propertyNames: { anyOf: [...times(140, () => ({ maxLength: 0 })), {}] } }, named],
  ["lengths", { allOf: times(140, () => ({ maxLength: 1e9 })) }, (chars) => "x".repeat(chars - 2)],
  ["depth", nested<object>((inner) => ({ anyOf: [{ items: inner }, {}] }), {}), deep],
];

function ones(chars: number): unknown {
  return Array(Math.floor(chars / 2) - 1).fill(1);
}
function empties(chars: number): unknown {
  return Array(Math.floor(chars / 3) - 1).fill({});
}
function named(chars: number): unknown {
  return Object.fromEntries(times(Math.floor(chars / 12), (at) => [`k${at}`, 1]));
}
function deep(): unknown {
  return nested<unknown>((inner) => [inner], 1);
}
function nested<Part>(around: (inner: Part) => Part, innermost: Part): Part {
  let part = innermost;
  for (let depth = 0; depth < 20; depth += 1) part = around(part);
  return part;
}

test.each(SLOWEST)(
  "the longest value that is plain is checked within the time limit: %s",
  async (_, schema, slowValue) => {
    const chars = plainCharsOf({ ...schema });
    expect(chars).toBeGreaterThan(0);
    const value = slowValue(chars - 1);
    expect(JSON.stringify(value).length).toBeLessThan(chars);
    // It would reject as retryable if the plain thread were given up.
    const check = await compileSchema({ ...schema }, "ann");
    expect(await check(value)).toBeNull();
  },
);
