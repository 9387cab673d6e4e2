/** Tokens joined give the text back, and generated text is made of the very tokens the tokenizer would find. */
import { describe, expect, it } from "vitest";
import { tokenize } from "./tokenize.ts";
import { generatedTokens } from "./vocabulary.ts";

describe("tokenize", () => {
  it("makes each Chinese character and mark a token", () => {
    expect(tokenize("你好，世界。“好”……")).toEqual([..."你好，世界。“好”……"]);
  });

  it("keeps a Latin word together with the space before it", () => {
    expect(tokenize("Hello brave world, 42 times!")).toEqual(["Hello", " brave", " world", ",", " 42", " times", "!"]);
  });

  it("splits mixed text at the border", () => {
    expect(tokenize("用 Redis 做队列v2")).toEqual(["用", " Redis", " ", "做", "队", "列", "v2"]);
  });

  it("gives back any text when joined", () => {
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
  it.each(["en", "zh"] as const)("are what the tokenizer makes of their text (%s)", (language) => {
    for (const seed of ["a", "b", "c", "d", "e"]) {
      const source = generatedTokens(150, language, seed);
      const tokens = Array.from({ length: source.length }, (_, index) => source.at(index));
      expect(tokenize(tokens.join(""))).toEqual(tokens);
    }
  });
});
