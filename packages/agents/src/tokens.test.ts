import { expect, test } from "vitest";
import { countTokens } from "./tokens.ts";

test("known counts of the o200k tokenizer", () => {
  expect(countTokens("")).toBe(0);
  expect(countTokens("Hello, world!")).toBe(4);
  expect(countTokens("你好，世界")).toBe(3);
});

test("a long text is estimated within a few percent", () => {
  const sentence = "The quick brown fox jumps over the lazy dog. ";
  const exact = countTokens(sentence.repeat(400));
  expect(countTokens(sentence.repeat(4_000)) / (10 * exact)).toBeCloseTo(1, 1);
});

test("text that spells a control token is counted like any other", () => {
  expect(countTokens("Say <|endoftext|> and <|im_start|>")).toBeGreaterThan(5);
});
