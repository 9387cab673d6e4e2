import { describe, expect, test } from "vitest";
import { type Block, BlockReader } from "./blocks.ts";

const TEXT = `# Title

A paragraph with *stress*, \`code\` and $e = mc^2$.

- one
- two

  more of two

| a | b |
|---|---|
| 1 | 2 |

\`\`\`ts
const one = 1;

const two = 2;
\`\`\`

> quoted

$$
\\int_0^1 x\\,dx
$$

The end.`;

const readAll = (text: string, reader = new BlockReader()): readonly Block[] => {
  let blocks = reader.read(text);
  while (!reader.isDone) blocks = reader.read(text);
  return blocks;
};
const kinds = (blocks: readonly Block[]) => blocks.map(({ tokens }) => tokens?.[0]?.type ?? "plain");

describe("blocks of a growing text", () => {
  test("blocks are those of the whole text, at every length", () => {
    const reader = new BlockReader();
    for (let length = 1; length <= TEXT.length; length += 1) {
      const text = TEXT.slice(0, length);
      expect(kinds(readAll(text, reader)), text).toEqual(kinds(readAll(text)));
    }
    expect(kinds(readAll(TEXT))).toEqual([
      "heading_open",
      "paragraph_open",
      "bullet_list_open",
      "table_open",
      "fence",
      "blockquote_open",
      "formula_block",
      "paragraph_open",
    ]);
  });

  test("a block stays the same object once another one follows", () => {
    const reader = new BlockReader();
    const [first] = readAll("One.\n\nTwo.\n\nThree", reader);
    expect(readAll("One.\n\nTwo.\n\nThree and more.\n\nFour", reader)[0]).toBe(first);
  });

  test("blocks begin anew with another text", () => {
    const reader = new BlockReader();
    readAll("One.\n\nTwo.\n\nThree.", reader);
    expect(readAll("Else.\n\nTwo.", reader).map(({ source }) => source)).toEqual(["Else.\n\n", "Two."]);
  });

  test.each([
    ["a line of a megabyte", "x".repeat(1_000_000)],
    ["a fence that never ends", `\`\`\`\n${"code\n".repeat(100_000)}`],
    ["a table of 20,000 rows", `|a|b|\n|-|-|\n${"|1|2|\n".repeat(20_000)}`],
    ["pairs of surrogates", "😀".repeat(200_000)],
    ["lists without an end", "- item\n".repeat(60_000)],
    ["Windows' line ends", "a paragraph\r\n\r\n".repeat(20_000)],
  ])("blocks hold all of %s", (_, text) => {
    const sources = readAll(text).map(({ source }) => source);
    expect(sources.join("") === text).toBe(true);
    expect(sources.every((source) => source.isWellFormed())).toBe(true);
  });

  test("HTML is text, and an address that runs something is no link", () => {
    const tokens = readAll('<b onclick="x()">hi</b> [a](javascript:alert(1)) [b](https://example.org)')
      .flatMap((block) => block.tokens ?? [])
      .flatMap(({ children }) => children ?? []);
    expect(tokens.filter(({ type }) => type === "link_open").map((token) => token.attrGet("href"))).toEqual([
      "https://example.org",
    ]);
    expect(tokens.some(({ type }) => type.startsWith("html"))).toBe(false);
  });

  test.each([
    ["$5 and $6", []],
    ["$x$ and \\(y\\)", ["x", "y"]],
    ["costs \\$5, $a_1$", ["a_1"]],
    ["$ a $", []],
    ["$$x$$ within a line", ["x"]],
  ])("formulas of %s", (text, formulas) => {
    const found = readAll(text)
      .flatMap((block) => block.tokens ?? [])
      .flatMap(({ children }) => children ?? [])
      .filter(({ type }) => type === "formula");
    expect(found.map(({ content }) => content)).toEqual(formulas);
  });
});
