import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { compileSchema } from "./json-schema.ts";

const check = await compileSchema({
  $schema: "http://json-schema.org/draft-07/schema#",
  type: "object",
  properties: { name: { type: "string", pattern: "^[a-z]+$" }, tags: { type: "array", items: { type: "integer" } } },
  required: ["name"],
  additionalProperties: false,
});

test("a value that fits has no problem, and any other has one that names the place", async () => {
  expect(await check({ name: "ann", tags: [1] })).toBeNull();
  expect(await check({})).toBe("the value must have required property 'name'");
  expect(await check({ name: "ann", tags: ["x"] })).toBe("tags.0 must be integer");
  expect(await check({ name: "ann", more: 1 })).toBe("the value must NOT have additional properties (more)");
  expect(await check({ name: "Ann" })).toMatch(/name must match pattern/);
});

test.each([
  ["a wrong type", { type: "strin" }],
  ["a reference to elsewhere", { $ref: "https://example.com/schema.json" }],
  ["an invalid pattern", { type: "string", pattern: "(" }],
])("a schema with %s is refused", async (_, schema) => {
  await expect(compileSchema(schema)).rejects.toThrow();
});

test("a schema can be compiled several times, even with an $id", async () => {
  const schema = { $id: "https://example.com/a.json", type: "integer" };
  expect(await (await compileSchema(schema))(1)).toBeNull();
  expect(await (await compileSchema({ ...schema, type: "string" }))(1)).not.toBeNull();
});

test("a pattern with exponential backtracking is checked in linear time", async () => {
  const backtracking = await compileSchema({ type: "string", pattern: "^(a+)+$" });
  expect(await backtracking(`${"a".repeat(5_000)}!`)).not.toBeNull();
});

test("a schema's keyword $async is ignored: it would turn a failed check into an unhandled rejection", async () => {
  const async = await compileSchema({ $async: true, type: "object", required: ["n"] });
  expect(await async({})).toMatch(/required property 'n'/);
});

const repeated = (count: number, part: object) => Array.from({ length: count }, () => part);

/** A schema within a schema, `depth` times. */
const nested = (depth: number): object => (depth === 0 ? {} : { not: nested(depth - 1) });

test.each([
  ["100 patterns of 1,000 repetitions", { allOf: repeated(100, { pattern: "(\\pL|xN){1000}" }) }, /patterns/],
  ["repetitions beyond all bounds", { allOf: repeated(40, { pattern: "(\\pL){1,100}" }) }, /repeat parts/],
  ["one endless pattern", { pattern: "a".repeat(10_000) }, /longer than/],
  ["names of properties as patterns", { patternProperties: { [`${"x{100}".repeat(30)}`]: {} } }, /repeat parts/],
  ["20,000 parts", { enum: Array.from({ length: 20_000 }, (_, at) => at) }, /more than 5000 parts/],
  ["a depth of 2,000", nested(2_000), /nested deeper than 64/],
  ["1,000 references", { $defs: { a: {} }, allOf: repeated(1_000, { $ref: "#/$defs/a" }) }, /references/],
])("a schema with %s is refused before anything compiles it", async (_, schema, words) => {
  await expect(compileSchema(schema as Record<string, unknown>)).rejects.toThrow(words);
});

/** Each definition refers to the next one twice, so a check takes 2^40 steps. */
const forking = () => {
  const next = (at: number) => ({ $ref: `#/$defs/d${at}` });
  const forks = Array.from({ length: 40 }, (_, at) => [`d${at}`, { allOf: [next(at + 1), next(at + 1)] }]);
  return { ...next(0), $defs: { ...Object.fromEntries(forks), d40: { type: "object" } } };
};

test("a check beyond its time limit is ended with its thread, this thread stays free, and later checks work", async () => {
  const endless = await compileSchema(forking());
  const pairs = await compileSchema({ type: "array", uniqueItems: true });
  const many = Array.from({ length: 40_000 }, (_, at) => ({ at }));
  let problems: (string | null)[] | null = null;
  const checks = Promise.all([endless({}), pairs(many), endless({})]).then((found) => {
    problems = found;
  });
  // While the checks use up a second each, this thread goes round its loop; held up, it would do so three times.
  let rounds = 0;
  for (; problems === null; rounds += 1) await setImmediate();
  await checks;
  expect(problems).toEqual(Array(3).fill("it takes more than 1 s to check"));
  expect(rounds).toBeGreaterThan(100);
  expect(await check({ name: "ann" })).toBeNull();
});

test("a plain schema does not wait behind schemas that use up their time", async () => {
  const endless = await compileSchema(forking());
  const plain = await compileSchema({ type: "object", required: ["n"] });
  const order: string[] = [];
  const slow = Array.from({ length: 6 }, async () => order.push((await endless({})) === null ? "?" : "slow"));
  await plain({ n: 1 }).then(() => order.push("plain"));
  await Promise.all(slow);
  expect(order[0]).toBe("plain");
});

test("a value of more than four million characters is not checked", async () => {
  const list = await compileSchema({ type: "array" });
  expect(await list(["x".repeat(4_200_000)])).toBe("it is too large to check");
});
