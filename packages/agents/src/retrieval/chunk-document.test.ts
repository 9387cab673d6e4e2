import { expect, test } from "vitest";
import { type SeededRandom, seededRandom } from "../../../../test/support/seeded-random.ts";
import { countTokens } from "../model/tokens.ts";
import { type Chunk, chunkDocument, MAX_TOKENS } from "./chunk-document.ts";

const withoutSpace = (text: string) => text.replace(/\s+/g, "");

/** Walks through the document chunk by chunk. Each chunk must begin where the previous chunks ended, or earlier. */
function expectWhole(document: string, chunks: readonly Chunk[]): void {
  const whole = withoutSpace(document);
  let covered = 0;
  for (const { content } of chunks) {
    const places = [content, content.split("\n").slice(2).join("\n")].map((part) => {
      const at = whole.lastIndexOf(withoutSpace(part), covered);
      return at === -1 || part === "" ? -1 : at + withoutSpace(part).length;
    });
    const reached = Math.max(...places);
    expect(reached, `out of place: ${content}`).toBeGreaterThan(-1);
    covered = Math.max(covered, reached);
  }
  expect(covered).toBe(whole.length);
}

const ENGLISH = "The queue keeps jobs in order. Workers take them! Is one lost? No; it is run again.".split(" ");
const CHINESE = [..."任务进入队列后由进程依次处理，不会丢失。失败时会重试！真的吗？是的；请看日志𠮷😀"];

function randomDocument(random: SeededRandom): string {
  const words = (count: number) => Array.from({ length: count }, () => random.pick(ENGLISH)).join(" ");
  const characters = (count: number) => Array.from({ length: count }, () => random.pick(CHINESE)).join("");
  const parts: (() => string)[] = [
    () => `${"#".repeat(random.int(1, 6))} ${words(random.int(0, 6))}`,
    () => `${words(3)}\n${random.pick(["===", "---"])}`,
    () => words(random.int(1, 900)),
    () => characters(random.int(1, 1_500)),
    () => Array.from({ length: random.int(1, 40) }, () => `- ${words(random.int(1, 30))}`).join("\n"),
    () => `\`\`\`ts\n${Array.from({ length: random.int(0, 90) }, () => `  call(${words(4)});\n\n`).join("")}\`\`\``,
    () => {
      const rows = Array.from({ length: random.int(0, 60) }, () => `| ${words(4)} | ${characters(5)} |`);
      return `| a | b |\n|---|---|\n${rows.join("\n")}`;
    },
    () => "~~~ never closed",
    () => "😀".repeat(random.int(1, 1_200)),
    () => " \t\r\n".repeat(random.int(1, 300)),
    () => ".".repeat(random.int(1, 3_000)),
  ];
  return Array.from({ length: random.int(0, 12) }, () => random.pick(parts)()).join(
    random.pick(["\n", "\n\n", "\r\n\r\n"]),
  );
}

test("generated documents are in their chunks completely and in order, within the limits", async () => {
  const random = seededRandom(11);
  for (let round = 0; round < 150; round += 1) {
    const document = randomDocument(random);
    for (const format of ["markdown", "text"] as const) {
      const chunks = await chunkDocument(document, format);
      expectWhole(document, chunks);
      expect(chunks.map(({ position }) => position)).toEqual(chunks.keys().toArray());
      for (const { content } of chunks) {
        expect(content.isWellFormed()).toBe(true);
        expect(content.trim()).not.toBe("");
        expect(countTokens(content), content).toBeLessThanOrEqual(MAX_TOKENS);
      }
    }
  }
});

test("an empty document has no chunks", async () => {
  expect(await chunkDocument("", "text")).toEqual([]);
  expect(await chunkDocument(" \n\t\r\n ", "markdown")).toEqual([]);
});

test("a chunk has the path of its headings, and a heading inside code does not count", async () => {
  const document = `before

# Guide #

## Install [here](http://x) \`now\`

Run it.

\`\`\`sh
# not a heading
\`\`\`

Use it
------

Gladly.

# End
`;
  const chunks = await chunkDocument(document, "markdown");
  expect(chunks.map(({ heading, content }) => [heading, content])).toEqual([
    ["", "before"],
    [
      "Guide › Install here now",
      "# Guide #\n\n## Install [here](http://x) `now`\n\nRun it.\n\n```sh\n# not a heading\n```",
    ],
    ["Guide › Use it", "Use it\n------\n\nGladly."],
    ["End", "# End"],
  ]);
});

test("a document in plain text has no headings", async () => {
  const [chunk] = await chunkDocument("# comment\nvalue: 1\n\n```\nx", "text");
  expect(chunk).toEqual({ heading: "", position: 0, content: "# comment\nvalue: 1\n\n```\nx" });
});

test("a code block that fits stays whole, together with its introduction", async () => {
  const code = `\`\`\`ts\n${"const value = compute(1);\n\n".repeat(30)}\`\`\``;
  const chunks = await chunkDocument(`# A\n\n${"Some words here. ".repeat(60)}\n\n${code}\n\nAfter.`, "markdown");
  expect(chunks.filter(({ content }) => content.includes(code))).toHaveLength(1);
});

test("every chunk of a long table repeats the table's head", async () => {
  const rows = Array.from({ length: 80 }, (_, at) => `| \`SETTING_${at}\` | what it is for, number ${at} |`);
  const chunks = await chunkDocument(`| name | use |\n|---|---|\n${rows.join("\n")}`, "markdown");
  expect(chunks.length).toBeGreaterThan(2);
  for (const { content } of chunks) expect(content).toMatch(/^\| name \| use \|\n\|---\|---\|\n\| `SETTING_/);
});

test.each([
  ["English", (at: number) => `Sentence number ${at} says a little of what the whole is about. `],
  ["Chinese", (at: number) => `这是第${at}个句子，它简短地说明了整体的内容是什么。`],
])("neighbouring chunks of %s text share whole sentences, about 15 percent", async (_, sentence) => {
  const sentences = Array.from({ length: 120 }, (_, at) => sentence(at).trim());
  const chunks = await chunkDocument(sentences.join(_ === "English" ? " " : ""), "text");
  expect(chunks.length).toBeGreaterThan(4);
  const held = chunks.map(({ content }) => sentences.filter((one) => content.includes(one)));
  held.slice(1).forEach((of, at) => {
    const shared = of.filter((one) => held[at]?.includes(one));
    expect(shared.length).toBeGreaterThan(0);
    // The last chunk may be short.
    if (at + 2 < held.length) expect(shared.length / of.length).toBeLessThan(0.25);
    // The overlap is whole sentences, so each chunk begins with a sentence.
    expect(chunks[at + 1]?.content.startsWith(of[0] ?? "?")).toBe(true);
  });
});

test("chunking a large document yields to the event loop", async () => {
  const large = Array.from({ length: 10_000 }, (_, at) => `Sentence ${at} of this document says about the same. `).join(
    "",
  );
  const order: string[] = [];
  setImmediate(() => order.push("other work"));
  await chunkDocument(large, "markdown");
  order.push("chunks");
  expect(order).toEqual(["other work", "chunks"]);
});

test("a usual document keeps one chunk for each of its sections, however short they are", async () => {
  const sections = Array.from({ length: 250 }, (_, at) => `## Term ${at}\n\nMeaning ${at}.`);
  const chunks = await chunkDocument(`# Glossary\n\n${sections.join("\n\n")}`, "markdown");
  expect(chunks).toHaveLength(250);
  expect(chunks.at(-1)).toMatchObject({ heading: "Glossary › Term 249", content: "## Term 249\n\nMeaning 249." });
});

test("sections without number are merged into chunks, under the headings that they share", async () => {
  const sections = Array.from({ length: 5_000 }, (_, at) => `## ${at}\nb`);
  const document = `# Glossary\n\nAll terms.\n\n${sections.join("\n")}`;
  const chunks = await chunkDocument(document, "markdown");
  expect(chunks.length).toBeLessThan(400);
  expectWhole(document, chunks);
  expect(chunks.at(-1)?.heading).toBe("Glossary");
  expect(chunks.at(-1)?.content).toMatch(/## 4999\nb$/);
  const long = Array.from({ length: 400 }, (_, at) => `## Long ${at}\n\n${"It has words enough. ".repeat(40)}`);
  const whole = await chunkDocument(`${long.join("\n\n")}\n\n${sections.join("\n")}`, "markdown");
  expect(whole.filter(({ heading }) => heading.startsWith("Long"))).toHaveLength(400);
});

test.each([
  ["headings with a word below", "# a\nb\n"],
  ["underlined headings", "a\n--\nb\n"],
  ["headings without text", "# a\n"],
  ["empty headings", "#\nb\n"],
  ["nested headings", "# a\n## b\n### c\n#### d\nx\n"],
  ["paragraphs of one letter", "a\n\n"],
  ["lines of one letter", "a\n"],
  ["a run without spaces", "y"],
  ["Chinese without spaces", "任务进入队列后由进程依次处理不会丢失"],
  ["emoji", "😀"],
  ["small tables between words", "|a|\n\nx\n\n"],
  ["a table of short rows", "|a|b|\n"],
  ["small code blocks", "```\nx\n```\n"],
  ["headings with small code blocks", "# a\n```\nx\n```\n"],
  ["fences that are not closed", "```\n"],
  ["full stops", ". "],
  ["items of a list", "1. a\n"],
])("64 KB of %s have no more chunks than their length justifies, and none is too long", async (_, unit) => {
  const text = unit.repeat(Math.floor(65_536 / Buffer.byteLength(unit)));
  for (const format of ["markdown", "text"] as const) {
    const chunks = await chunkDocument(text, format);
    const counts = new Map<string, number>();
    const tokensOf = (content: string) => counts.get(content) ?? countTokens(content);
    for (const { content } of chunks) counts.set(content, tokensOf(content));
    const tokens = chunks.reduce((sum, { content }) => sum + tokensOf(content), 0);
    expect(chunks.length).toBeLessThanOrEqual(256 + tokens / 100);
    expect(chunks.length).toBeLessThanOrEqual(600);
    expect(Math.max(...counts.values())).toBeLessThanOrEqual(MAX_TOKENS);
  }
});
