/**
 * The terms of a text, for the local embedder. Words are lower-cased and lightly stemmed; text without white space
 * (Chinese, Japanese) yields its pairs of neighbouring characters; an identifier also yields its parts.
 */

/** A longer word is an encoded value, and its beginning identifies it well enough. */
const MAX_WORD_CHARS = 48;

const RUN = /([\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}ー]+)|[\p{L}\p{M}\p{N}_]+/gu;
const IDENTIFIER_SEAM = /_+|(?<=[\p{Ll}\p{N}])(?=\p{Lu})/u;

/**
 * More marks on one character than any language has (the bound of Unicode's stream-safe text format). NFKC sorts the
 * marks of a character in quadratic time. The half-width voiced marks of Japanese are letters that become marks.
 */
const TOO_MANY_MARKS = /([\p{M}\uff9e\uff9f]{30})[\p{M}\uff9e\uff9f]+/gu;

/** Some characters become 18 others. Text that NFKC makes longer than this is cut: no language is written in them. */
const MAX_GROWTH = { factor: 2, characters: 1_000 };

export function termsOf(text: string): string[] {
  const terms: string[] = [];
  const maxChars = text.length * MAX_GROWTH.factor + MAX_GROWTH.characters;
  const normalized = text.replace(TOO_MANY_MARKS, "$1").normalize("NFKC").slice(0, maxChars);
  for (const [run, unspaced] of normalized.matchAll(RUN)) {
    if (unspaced !== undefined) addPairs(terms, [...unspaced]);
    else addWords(terms, run.slice(0, MAX_WORD_CHARS));
  }
  return terms;
}

function addPairs(terms: string[], characters: readonly string[]): void {
  if (characters.length === 1) terms.push(characters[0] ?? "");
  for (let at = 1; at < characters.length; at += 1) terms.push(`${characters[at - 1]}${characters[at]}`);
}

function addWords(terms: string[], word: string): void {
  const parts = word.split(IDENTIFIER_SEAM).filter((part) => part !== "");
  for (const part of parts) terms.push(stem(part.toLowerCase()));
  if (parts.length > 1) terms.push(word.toLowerCase());
}

/** Removes the plural, `-ed` and `-ing`, so that a question and its answer share terms. */
function stem(word: string): string {
  if (word.length < 4 || !/^[a-z]+$/.test(word)) return word;
  const singular = /(?:ss|us|is)$/.test(word) ? word : word.replace(/ies$/, "y").replace(/s$/, "");
  const root = singular.replace(/(?<=[aeiouy].*[^aeiou]|[aeiou]{2})(?:ed|ing)$/, "").replace(/([bdfgmnprt])\1$/, "$1");
  return root.length >= 4 ? root.replace(/e$/, "") : root;
}

/** Words that say little about the subject of a text. */
const COMMON = new Set(
  `a about after all also am an and any are as at be been but by can could did do does each else for from get gets got
   had has have how i if in into is it its just like may me more my no not of on one only or our out over please
   should so some such than that the their them then there these they this to up us use used using very was we were
   what when where which while who why will with would you your
   什么 怎么 怎样 如何 哪些 哪个 哪里 为何 为什 多少 可以 能否 是否 需要 请问 我们 我的 你的 他们 自己 一个 这个 那个 这些 没有 不是 就是
   以及 或者 如果 因为 所以 但是 的是 时候 还是 是什 么办 的时 有哪 会怎 该怎 要怎`
    .split(/\s+/)
    .flatMap((word) => [word, stem(word)]),
);

export const isCommon = (term: string): boolean => COMMON.has(term) || term.length === 1;
