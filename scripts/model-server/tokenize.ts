/**
 * The tokenizer of the local model: it splits answers into stream pieces and counts usage. No real model splits text
 * this way; it is cheap and deterministic, and the joined tokens equal the text.
 */

/**
 * A character class for the `v` flag: ideographs, kana, hangul, and the punctuation of Chinese and Japanese text
 * (full-width forms, “ ” ‘ ’ … — ·).
 */
export const CJK =
  "[\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Hangul}\\u3000-\\u303f\\uff00-\\uffef“”‘’…—·]";
const WORD = `[[\\p{L}\\p{M}\\p{N}_]--${CJK}]`;
const MARK = `[[^\\s\\p{L}\\p{M}\\p{N}_]--${CJK}]`;

/**
 * Alternatives in order: one CJK character; one word or one other mark with the space before it; other spaces. The last
 * two alternatives match any remaining character, so the tokens cover the whole text.
 */
const TOKEN = new RegExp(`${CJK}| ?${WORD}+| ?${MARK}|\\s+(?=\\s)|\\s|[^]`, "gv");

export const CJK_CHARACTER = new RegExp(CJK, "v");

export function tokenize(text: string): string[] {
  return text.match(TOKEN) ?? [];
}

export function countTokens(text: string): number {
  return tokenize(text).length;
}
