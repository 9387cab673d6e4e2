import { setImmediate } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { compileSchema as compileFor, createSchemaChecks } from "./json-schema.ts";
import { plainCharsOf } from "./plain-schema.ts";

const compileSchema = (schema: object, owner = "ann") => compileFor(schema as Record<string, unknown>, owner);

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

test.each([
  ["a reference to elsewhere", { $ref: "https://example.com/a.json" }, 'refers to "https://example.com/a.json"'],
  ["a dynamic reference among resources", { $dynamicRef: "#a", $defs: { b: { $id: "b" } } }, '"$dynamicRef" is not'],
  ["items that nobody tracks", { contains: {}, unevaluatedItems: false }, '"unevaluatedItems" is not'],
  ["references in a circle", { $ref: "#/$defs/a", $defs: { a: { $ref: "#/$defs/a" } } }, /circle|to compile/],
])("what cannot be checked is refused by name: %s", async (_, schema, words) => {
  await expect(compileSchema(schema).then((check) => check(1))).rejects.toThrow(words);
});

test("a schema may refer to the draft's own schema, and to itself dynamically", async () => {
  // The meta-schema is a large one: on a busy machine it takes more than the platform's second.
  const checks = createSchemaChecks(20_000);
  onTestFinished(() => checks.close());
  const schemas = await checks.prepare({ $ref: "https://json-schema.org/draft/2020-12/schema" }, "ann");
  expect([await schemas({ type: "string" }), await schemas({ type: 7 })]).toEqual([null, expect.any(String)]);
  const properties = { children: { type: "array", items: { $dynamicRef: "#node" } } };
  const tree = await checks.prepare({ $dynamicAnchor: "node", type: "object", properties }, "ann");
  expect([await tree({ children: [{}] }), await tree({ children: [1] })]).toEqual([null, "children.0 must be object"]);
});

/** What every JavaScript object has, whether its JSON has it or not. */
const INHERITED = ["constructor", "__proto__", "toString", "hasOwnProperty", "valueOf"];

/** An object with one property, whatever its name is. */
const only = (name: string, value: unknown) => Object.fromEntries([[name, value]]);

test.each(INHERITED)("a property %s counts if the value has it itself, and else not", async (name) => {
  const fits = async (schema: object, value: unknown) => (await (await compileSchema(schema))(value)) === null;
  const has = only(name, 1);
  const string = { type: "string" };
  const verdicts = await Promise.all([
    fits({ required: [name] }, {}),
    fits({ properties: only(name, string) }, has),
    fits({ additionalProperties: false }, has),
    fits({ additionalProperties: string }, has),
    fits({ patternProperties: only(name, string) }, has),
    fits({ dependentRequired: only(name, ["a"]) }, has),
    fits({ dependentRequired: { a: [name] } }, { a: 1 }),
    fits({ dependentSchemas: only(name, { required: ["a"] }) }, has),
    fits(
      { anyOf: [{ properties: { a: {} }, required: ["a"] }, { minProperties: 1 }], unevaluatedProperties: false },
      has,
    ),
    fits({ const: {} }, has),
    fits({ enum: [has] }, only(name, 2)),
    fits({ uniqueItems: true }, [has, has]),
  ]);
  expect(verdicts).toEqual(Array(12).fill(false));
  const others = await Promise.all([
    fits({ required: [name] }, has),
    fits({ properties: only(name, string) }, {}),
    fits({ properties: only(name, {}), additionalProperties: false }, has),
    fits({ properties: only(name, {}), unevaluatedProperties: false }, has),
    fits({ dependentRequired: only(name, ["a"]) }, {}),
    fits({ dependentSchemas: only(name, false) }, {}),
    fits({ const: only(name, {}) }, only(name, {})),
    fits({ uniqueItems: true }, [has, {}]),
  ]);
  expect(others).toEqual(Array(8).fill(true));
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
  await expect(compileSchema(schema)).rejects.toThrow(words);
});

/** Each definition refers to the next one twice, so a check takes 2^40 steps. */
const forking = (title = "") => {
  const next = (at: number) => ({ $ref: `#/$defs/d${at}` });
  const forks = Array.from({ length: 40 }, (_, at) => [`d${at}`, { allOf: [next(at + 1), next(at + 1)] }]);
  return { title, ...next(0), $defs: { ...Object.fromEntries(forks), d40: { type: "object" } } };
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

/** `{"a":{"a":…}}`, 182 characters; with `$recursiveRef` a check takes 2^30 steps. */
const inside = (depth: number): object => (depth === 0 ? {} : { a: inside(depth - 1) });
const recursive = { properties: { a: { allOf: [{ $recursiveRef: "#" }, { $recursiveRef: "#" }] } } };

/** Each number fails the first alternative, which writes down its place: the name, with each tilde replaced. */
const placed = { additionalProperties: { items: { anyOf: [{ type: "string" }, {}] } } };
const longPlaces = { ["~".repeat(500_000)]: Array(20_000).fill(1) };

test.each([
  ["references that fork", forking(), {}],
  ["references of draft 2019-09", recursive, inside(30)],
  ["places that are long", placed, longPlaces],
])("a plain schema does not wait behind schemas that use up their time: %s", async (kind, schema, value) => {
  const plain = await compileSchema({ type: "object", required: ["n"] });
  const endless = await Promise.all([1, 2, 3].map((at) => compileSchema({ ...schema, title: `${kind} ${at}` })));
  const order: string[] = [];
  const slow = endless.map(async (check) => order.push((await check(value)) ?? "fits"));
  await plain({ n: 1 }).then(() => order.push("plain"));
  await Promise.all(slow);
  expect(order).toEqual(["plain", ...Array(3).fill("it takes more than 1 s to check")]);
});

test("an owner whose schema has references does not wait behind all slow checks of another owner", async () => {
  const list = { $ref: "#/$defs/list", $defs: { list: { type: "array" } } };
  const own = await compileSchema(list, "bob");
  const endless = await Promise.all(Array.from({ length: 6 }, (_, at) => compileSchema(forking(`ann's ${at}`), "ann")));
  let ended = 0;
  const slow = endless.map(async (check) => {
    await check({});
    ended += 1;
  });
  expect(await own([])).toBeNull();
  // At most those that had begun, one on each thread.
  expect(ended).toBeLessThan(endless.length - 1);
  await Promise.all(slow);
});

test("a schema that has used up its time is refused at once, for its owner and for values as long", async () => {
  const pairs = await compileSchema({ title: "pairs", type: "array", uniqueItems: true });
  const endless = await compileSchema(forking("in the way"));
  const plain = await compileSchema({ type: "object" });
  const many = Array.from({ length: 40_000 }, (_, at) => ({ at }));
  // The first one takes its second; those that waited behind it are refused when their turn comes.
  const first = await Promise.all(Array.from({ length: 10 }, () => pairs(many)));
  const order: string[] = [];
  const inTheWay = endless({}).then(() => order.push("another schema"));
  const refused = await Promise.all(Array.from({ length: 10 }, () => pairs(many)));
  order.push("refused");
  expect(new Set([...first, ...refused])).toEqual(new Set(["it takes more than 1 s to check"]));
  expect(await pairs([{ at: 1 }, { at: 2 }])).toBeNull();
  expect(await pairs([{ at: 1 }, { at: 1 }])).toMatch(/must NOT have duplicate items/);
  await inTheWay;
  const ofBob = pairs(many, "bob").then(() => order.push("another owner's"));
  await plain({}).then(() => order.push("plain"));
  await ofBob;
  expect(order).toEqual(["refused", "another schema", "plain", "another owner's"]);
});

test("a value of more than four million characters is not checked", async () => {
  const list = await compileSchema({ type: "array" });
  expect(await list(["x".repeat(4_200_000)])).toBe("it is too large to check");
});

test("a plain schema that takes too long is no invalid schema; only if it does so again, with the costly ones", async () => {
  // No thread compiles so many parts in that time; this is what a busy machine does to any schema.
  const checks = createSchemaChecks(1);
  onTestFinished(() => checks.close());
  const plain = { anyOf: repeated(140, { type: "string" }) };
  expect(plainCharsOf(plain)).toBeGreaterThan(0);
  await expect(checks.prepare(plain, "ann")).rejects.toMatchObject({ code: "agent_unavailable", retryable: true });
  await expect(checks.prepare(plain, "ann")).rejects.toMatchObject({ name: "InvalidSchema", tooSlow: true });
  await expect(checks.prepare({ ...plain, not: { $ref: "#" } }, "ann")).rejects.toThrow(
    "the schema takes more than 0.001 s to compile",
  );
});
