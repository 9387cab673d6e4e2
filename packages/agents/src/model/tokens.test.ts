import { countTokens as countExactly } from "gpt-tokenizer/encoding/o200k_base";
import { expect, test } from "vitest";
import { countTokens } from "./tokens.ts";

test("texts have the known counts of the o200k tokenizer", () => {
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

test("the count of an unbroken run of letters in slices is within a few percent of the tokenizer's", () => {
  const length = 3_000;
  const unbroken = Array.from({ length }, (_, at) => String.fromCodePoint(0x4e00 + ((at * 7_919) % 20_000))).join("");
  expect(countTokens(unbroken) / countExactly(unbroken)).toBeCloseTo(1, 1);
});
