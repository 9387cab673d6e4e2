/** Joined tokens equal the text, and generated text consists of the tokens that the tokenizer finds in it. */
import { describe, expect, test } from "vitest";
import { tokenize } from "./tokenize.ts";
import { generatedTokens } from "./vocabulary.ts";

describe("tokenize", () => {
  test("each Chinese character or mark is a token", () => {
    expect(tokenize("你好，世界。“好”……")).toEqual([..."你好，世界。“好”……"]);
  });

  test("a Latin word and the space before it are one token", () => {
    expect(tokenize("Hello brave world, 42 times!")).toEqual(["Hello", " brave", " world", ",", " 42", " times", "!"]);
  });

  test("mixed text is split between scripts", () => {
    expect(tokenize("用 Redis 做队列v2")).toEqual(["用", " Redis", " ", "做", "队", "列", "v2"]);
  });

  test("joined tokens equal any text", () => {
    const texts = [
      "",
      " ",
      "a  b\n\n\tc ",
      "👩‍👩‍👧 emoji 🇩🇪!",
      "한국어 ひらがな カタカナ",
      "𠮷野家",
      "\ud800 lone",
      "naïve café e\u0301",
      '{"a":[1,2.5]}',
    ];
    for (const text of texts) expect(tokenize(text).join("")).toBe(text);
  });
});

describe("generated tokens", () => {
  test.each(["en", "zh"] as const)(
    "generated tokens are those that the tokenizer finds in their text (%s)",
    (language) => {
      for (const seed of ["a", "b", "c", "d", "e"]) {
        const source = generatedTokens(150, language, seed);
        const tokens = Array.from({ length: source.length }, (_, index) => source.at(index));
        expect(tokenize(tokens.join(""))).toEqual(tokens);
      }
    },
  );
});
