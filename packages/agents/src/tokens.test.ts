import { expect, test } from "vitest";
import { countTokens } from "./tokens.ts";

test("known counts of the o200k tokenizer", () => {
  expect(countTokens("")).toBe(0);
  expect(countTokens("Hello, world!")).toBe(4);
  expect(countTokens("你好，世界")).toBe(3);
});

test("a long text is estimated within a few percent", () => {
  const sentence = "The quick brown fox jumps over the lazy dog. ";
  const exact = countTokens(sentence.repeat(50));
  expect(countTokens(sentence.repeat(4_000)) / (80 * exact)).toBeCloseTo(1, 1);
});

test("text that spells a control token is counted like any other", () => {
  expect(countTokens("Say <|endoftext|> and <|im_start|>")).toBeGreaterThan(5);
});

test("an unbroken run of letters costs what any other text does", () => {
  const timeOf = (text: string) => {
    const startedAt = performance.now();
    for (let round = 0; round < 5; round++) countTokens(text);
    return performance.now() - startedAt;
  };
  const length = 60_000;
  const prose = "word and word, ".repeat(length / 15);
  const unbroken = Array.from({ length }, (_, at) => String.fromCodePoint(0x4e00 + ((at * 7_919) % 20_000))).join("");
  timeOf(prose);
  // Quadratic counting takes hundreds of times as long.
  expect(timeOf(unbroken) / timeOf(prose)).toBeLessThan(60);
});
