import { expect, test } from "vitest";
import { scoreTerms } from "./exact-terms.ts";

const { signal } = new AbortController();

const plain = (text: string) => ({ text, heading: "" });

async function order(query: string, texts: readonly string[]): Promise<string[]> {
  const scores = await scoreTerms(query, texts.map(plain), signal);
  return texts.filter((_, at) => scores[at] !== 0).toSorted((a, b) => scoreOf(b) - scoreOf(a));
  function scoreOf(text: string): number {
    return scores[texts.indexOf(text)] ?? 0;
  }
}

test.each([
  [
    "a rare term counts more than a common one",
    "red Kubernetes",
    ["a red car", "a red bus", "Kubernetes"],
    "Kubernetes",
  ],
  ["two terms count more than one", "apples pears", ["apples", "apples pears", "pears"], "apples pears"],
  ["Chinese behind Latin is found", "什么是Redis缓存", ["Redis", "Redis缓存", "缓存"], "Redis缓存"],
  ["a name of one character is found", "谁是璟", ["王璟先生", "王先生", "李先生"], "王璟先生"],
  ["a short text counts more than a long one", "plums", [`plums ${"word ".repeat(50)}`, "plums here"], "plums here"],
  ["accents tell words apart", "thể", ["thế the thê", "thể thao", "thẻ the"], "thể thao"],
  [
    "a word without its accents is found too",
    "Café in Sao Paulo",
    ["a cafe", "tea", "São Paulo cafe"],
    "São Paulo cafe",
  ],
  ["a word with accents is found where nobody writes them", "Müller", ["Miller", "Muller"], "Muller"],
  ["a number is found with its unit apart", "how long is 100 km", ["100km by car", "100 m", "10 km"], "100km by car"],
])("%s", async (_, query, texts, first) => {
  expect((await order(query, texts))[0]).toBe(first);
});

test("a text without any term of the query gets 0, and all are within 0 and 1", async () => {
  const scores = await scoreTerms("apples", ["pears", "apples ".repeat(1_000)].map(plain), signal);
  expect(scores[0]).toBe(0);
  expect(scores[1]).toBeGreaterThan(0.9);
  expect(scores[1]).toBeLessThanOrEqual(1);
});

test("a query without terms gives 0 to all, and no texts give no scores", async () => {
  expect(await scoreTerms("?!", ["a", ""].map(plain), signal)).toEqual([0, 0]);
  expect(await scoreTerms("a", [], signal)).toEqual([]);
});

test("a term in the headings counts more than one in the text, and the length of a text counts the same", async () => {
  const texts = [
    { text: "Agents\nwrite your own", heading: "Agents" },
    { text: "Tools\nagents write your", heading: "Tools" },
  ];
  const [inHeading = 0, inText = 0] = await scoreTerms("agents", texts, signal);
  expect(inHeading).toBeGreaterThan(inText);
});
