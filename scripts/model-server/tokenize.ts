/**
 * The tokenizer of the local model: how an answer is cut into stream pieces, and what usage counts. No real model splits
 * text this way; what matters is that it is cheap, deterministic, and that the tokens joined give the text exactly.
 */

/** A character class for the `v` flag: ideographs, kana, hangul, and the punctuation that Chinese and Japanese text uses
 * (full-width forms, “ ” ‘ ’ … — ·). */
export const CJK =
  "[\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Hangul}\\u3000-\\u303f\\uff00-\\uffef“”‘’…—·]";
const WORD = `[[\\p{L}\\p{M}\\p{N}_]--${CJK}]`;
const MARK = `[[^\\s\\p{L}\\p{M}\\p{N}_]--${CJK}]`;

// In this order: one CJK character · one word or one other mark, with the space before it · spaces that lead nothing.
// The last two alternatives take any remaining character, so no text falls through.
const TOKEN = new RegExp(`${CJK}| ?${WORD}+| ?${MARK}|\\s+(?=\\s)|\\s|[^]`, "gv");

export const CJK_CHARACTER = new RegExp(CJK, "v");

export function tokenize(text: string): string[] {
  return text.match(TOKEN) ?? [];
}

export function countTokens(text: string): number {
  return tokenize(text).length;
}
