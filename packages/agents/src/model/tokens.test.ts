import { expect, test } from "vitest";
import { countTokens, estimateTokens } from "./tokens.ts";

test.each([
  ["", 0],
  ["Hello", 1],
  ["Hello, world!", 4],
  ["The quick brown fox jumps over the lazy dog.", 10],
  ["1234567890", 7],
  ["    return total;\n", 5],
  ["HTTPServer", 3],
  ["camelCase", 2],
])("the tokens of %j", (text, tokens) => {
  expect(countTokens(text)).toBe(tokens);
});

/** By the tokenizers of four vendors (o200k, cl100k, Llama 3, Qwen 2.5), the lowest and the highest count. */
test.each([
  ["English", "Every process of the platform reports that it is ready before anything is sent to it.", 15, 19],
  ["Chinese", "任务进入队列后由进程依次处理，重启之后也不会丢失。", 16, 26],
  ["Japanese", "質問に答えるために文書を検索します。", 10, 18],
  ["Russian", "Каждый процесс сообщает, что он готов к работе.", 11, 24],
  ["code", "for (const piece of readPieces(text)) if (!fits(draft, piece)) finish(draft);", 18, 26],
  ["emoji", "🚀🔥👍", 3, 9],
])("the count of a sentence of %s is between those of the vendors' tokenizers", (_, text, low, high) => {
  expect(countTokens(text)).toBeGreaterThanOrEqual(low);
  expect(countTokens(text)).toBeLessThanOrEqual(high);
});

test("a long text is estimated within a few percent, even if its parts differ", () => {
  const half = (text: string) => text.repeat(Math.ceil(200_000 / text.length));
  const [prose, ruled] = [half("The quick brown fox jumps over the lazy dog. "), half("一二三四五六七八九十")];
  const exact = (text: string, unit: number) => (countTokens(text.slice(0, unit)) / unit) * text.length;
  const expected = exact(prose, 45 * 100) + exact(ruled, 10 * 400);
  expect(countTokens(prose + ruled) / expected).toBeCloseTo(1, 1);
});

test("text that spells a control token is counted like any other", () => {
  expect(countTokens("Say <|endoftext|> and <|im_start|>")).toBeGreaterThan(5);
});

test("every kind of character counts, and more text never counts less", () => {
  let text = "";
  let before = 0;
  for (let code = 0x20; code < 0x1_0000; code += 97) {
    text += String.fromCharCode(code);
    const tokens = countTokens(text);
    expect(tokens).toBeGreaterThanOrEqual(before);
    before = tokens;
  }
  expect(before).toBeGreaterThan(text.length / 2);
});

test("a ruled line is a few tokens, and letters without words are many", () => {
  expect(countTokens("=".repeat(80))).toBeLessThan(10);
  expect(countTokens("qzxjkvwpqzxjkvwp".repeat(20))).toBeGreaterThan(100);
});

test("the cheap estimate of a piece is the lower one", () => {
  for (const text of ["many words in one single piece of the stream", "任务进入队列后由进程依次处理"]) {
    expect(estimateTokens(text)).toBeLessThanOrEqual(countTokens(text));
  }
});
