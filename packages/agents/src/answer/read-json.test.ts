import { expect, test } from "vitest";
import { readJson } from "./read-json.ts";

const FENCE = "```";

/** Accepts every value, or those that `fits` accepts. */
const read = (words: string, type?: unknown, fits: (value: unknown) => boolean = () => true) =>
  readJson({
    ...{ words, type },
    accept: async (value) => (fits(value) ? { problem: null, value } : { problem: "it does not fit" }),
  });

const hasN = (value: unknown) => typeof value === "object" && value !== null && "n" in value;

test.each<[what: string, words: string, value: unknown]>([
  ["alone", '{"n":1}', { n: 1 }],
  ["with white space and a byte-order mark", '\ufeff \n{"n":1}\n ', { n: 1 }],
  ["in a fence", `${FENCE}json\n{"n":1}\n${FENCE}`, { n: 1 }],
  ["in a fence of another case", `${FENCE}JSON\n{"n":1}\n${FENCE}`, { n: 1 }],
  ["in a fence of JSON with comments", `${FENCE}jsonc\n{"n":1, // one\n"m": /* two */ 2}\n${FENCE}`, { n: 1, m: 2 }],
  ["in a fence of tildes", '~~~\n{"n":1}\n~~~', { n: 1 }],
  ["in a longer fence", `${FENCE}${FENCE}json\n{"n":1}\n${FENCE}${FENCE}`, { n: 1 }],
  ["in an indented fence", `1. See:\n   ${FENCE}json\n   {"n":\n   1}\n   ${FENCE}\n`, { n: 1 }],
  ["in a fence on one line", `${FENCE}json {"n":1}${FENCE}`, { n: 1 }],
  ["in a fence with Windows' line ends", `${FENCE}json\r\n{"n":1}\r\n${FENCE}\r\n`, { n: 1 }],
  ["in a fence without an end", `Here:\n${FENCE}json\n{"n":1}`, { n: 1 }],
  ["in a fence among words", `Here:\n${FENCE}json\n{"n":1}\n${FENCE}\nIt is {1}.`, { n: 1 }],
  ["between words", 'Sure! The answer is {"n":1}. Anything else?', { n: 1 }],
  ["in a tag", '<answer>{"n":1}</answer>', { n: 1 }],
  ["after a thought", '<think>Perhaps {"n":0}?</think>\n{"n":1}', { n: 1 }],
  ["after a thought of which the beginning is missing", 'Perhaps {"n":0}?\n</think>\n\n{"n":1}', { n: 1 }],
  ["after a thought that breaks off in JSON", 'It is {"n": or\n</THINK>{"n":1}', { n: 1 }],
  ["after two thoughts", '<think>a</think><thinking>{"n":0}</thinking>{"n":1}', { n: 1 }],
  ["after braces in prose", 'use {x}: {"n":1}', { n: 1 }],
  ["after a template with braces", 'The form is {"n": <number>}, so: {"n":1}', { n: 1 }],
  ["after a brace without an end", 'Begin with { and: {"n":1}', { n: 1 }],
  ["after an interval", 'In [0, 1) it is {"n":1}', { n: 1 }],
  ["after a remark in brackets", '[Note: as you wish] {"n":1}', { n: 1 }],
  ["in doubled braces", '{{"n":1}}', { n: 1 }],
  ["with a comma too many", '{"n":1,"l":[1,2,],}', { n: 1, l: [1, 2] }],
  ["with braces and fences in its strings", `See {"n":"}{ ${FENCE}json\\n{} </think> // no"} there`, expect.anything()],
  ["with a closing tag in its string", '{"n":"</think>"}', { n: "</think>" }],
  ["with a closing tag in its string, among words", 'So: {"n":"</think>"}', { n: "</think>" }],
  ["with escapes", '{"n":"\\"}\\\\"}', { n: '"}\\' }],
])("a value is found %s", async (_, words, value) => {
  expect(await read(words, "object")).toMatchObject({ problem: null, value });
});

test.each<[type: string, words: string, value: unknown]>([
  ["array", "[1,2]", [1, 2]],
  ["array", `Here they are:\n${FENCE}\n[{"n":1}]\n${FENCE}`, [{ n: 1 }]],
  ["array", 'The {"n":1} are [{"n":1}]', [{ n: 1 }]],
  ["integer", "42", 42],
  ["integer", `${FENCE}json\n42\n${FENCE}`, 42],
  ["integer", `${FENCE}42${FENCE}`, 42],
  ["integer", "The answer is:\n\n42\n", 42],
  ["string", '"a {b} c"', "a {b} c"],
  ["boolean", "<think>No… yes.</think>true", true],
  ["null", "null", null],
])("a value of the type %s may be the whole answer: %j", async (type, words, value) => {
  expect(await read(words, type)).toMatchObject({ problem: null, value });
});

test.each<[what: string, words: string]>([
  ["words alone", "I would rather not."],
  ["nothing", ""],
  ["a value that was cut off", '{"n":1,"list":[{"n":2},{"n":3}'],
  ["a fence that was cut off", `${FENCE}json\n{"n":{"n":1}`],
  ["a list that was cut off", 'Here: [{"n":1},{"n":2},'],
  ["a value within broken JSON", '{"a": oops, "b": {"n":1}}'],
  ["single quotes", "{'n': 1}"],
  ["typographic quotes", "{“n”: 1}"],
  ["names without quotes", "{n: 1}"],
  ["a number that JSON does not know", '{"n": 01}'],
  ["a word of another language", '{"n": True}'],
  ["two commas", '{"n":1,,}'],
  ["a comma alone", "[,]"],
  ["a thought alone", '<think>It is {"n":1}.</think>I do not know.'],
  ["a thought without an end", '<think>It is {"n":1}.'],
  ["a number in a sentence", "It is 42, I think."],
  ["a comment without an end", '{"n":1 /* }'],
])("nothing is made up from %s", async (_, words) => {
  expect(await read(words)).toEqual({ problem: "it is not JSON" });
});

test.each<[what: string, words: string, n: number]>([
  ["the last of several", '{"n":1} or rather {"n":2}', 2],
  ["a fence before prose", `${FENCE}json\n{"n":1}\n${FENCE}\nNot {"n":2}.`, 1],
  ["the last of several fences", `${FENCE}\n{"n":1}\n${FENCE}\n${FENCE}json\n{"n":2}\n${FENCE}`, 2],
  ["JSON's fence before that of a program", `${FENCE}json\n{"n":1}\n${FENCE}\n${FENCE}js\n({"n":2})\n${FENCE}`, 1],
  ["the one that fits", 'It is {"n":1}, not {"m":2}.', 1],
  ["the one that fits, before many others of another type", `{"n":1}${" see [1]".repeat(50)}`, 1],
])("of several values this one counts: %s", async (_, words, n) => {
  expect(await read(words, "object", hasN)).toMatchObject({ value: { n } });
});

test("the problem is that of the value which comes first, and the text is the value's own", async () => {
  expect(await read('{"m":1}', "object", hasN)).toEqual({ problem: "it does not fit" });
  expect(await read('Well: {"n": 1, /* yes */}.')).toEqual({ problem: null, value: { n: 1 }, text: '{"n": 1 }' });
});

test("names such as __proto__ are names like any other", async () => {
  const found = await read('{"__proto__":{"n":1},"constructor":2}');
  expect(found.problem === null && Object.entries(found.value ?? {})).toEqual([
    ["__proto__", { n: 1 }],
    ["constructor", 2],
  ]);
});

test("what a check throws is no verdict: it is passed on, and no other value is tried", async () => {
  let tried = 0;
  const accept = async () => {
    tried += 1;
    throw new Error("the thread has died");
  };
  await expect(readJson({ words: '{"n":1} {"n":2}', accept })).rejects.toThrow("the thread has died");
  expect(tried).toBe(1);
});

test("only so many values are tried", async () => {
  let tried = 0;
  await read(Array.from({ length: 1_000 }, (_, n) => `{"n":${n}}`).join(" "), "object", () => {
    tried += 1;
    return false;
  });
  expect(tried).toBe(16);
});

test.each([
  "{",
  "[",
  '{"',
  '{"a":',
  "[[",
  "{//",
  "{/*",
  "[1",
  "[{}",
  "{}",
  '{"a":1',
  "```\n",
  "`",
  "</think>",
  "<think>",
  '["</think>"]',
  '{"{/*',
])("an answer of 500 KB that repeats %j is read in linear time", async (part) => {
  // A quadratic reader would run into the time limit of the test.
  await read(part.repeat(500_000 / part.length), "object", () => false);
  await read(`${part.repeat(500_000 / part.length)}x`, "object", () => false);
});
