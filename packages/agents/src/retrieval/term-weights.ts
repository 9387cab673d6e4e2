/** How much a term says about the subject of a text, whatever the text: 1, or less for words that are everywhere. */
import { stem } from "./terms.ts";

/** Words that say little about the subject of a text. */
const COMMON = new Set(
  `a about after all also am an and any are as at be been but by can could did do does each else for from get gets got
   had has have how i if in into is it its just like may me more my no not of on one only or our out over please
   should so some such than that the their them then there these they this to up us use used using very was we were
   what when where which while who why will with would you your
   什么 怎么 怎样 如何 哪些 哪个 哪里 为何 为什 多少 可以 能否 是否 需要 请问 我们 我的 你的 他们 自己 一个 这个 那个 这些 没有 不是 就是
   以及 或者 如果 因为 所以 但是 的是 时候 还是 是什 么办 的时 有哪 会怎 该怎 要怎
   什麼 怎麼 怎樣 為何 為什 請問 我們 他們 一個 這個 那個 這些 沒有 因為 時候 還是 麼辦 的時 會怎 該怎`
    .split(/\s+/)
    .flatMap((word) => [word, stem(word)]),
);

/** Characters of Chinese grammar. A pair with one of them is mostly the seam of two words, or grammar itself. */
const GRAMMAR = new Set(
  "的了是在和与及或被把对为以于从到由向就都也很还吗呢吧么什哪谁几多少怎何其之而且并但因所该此这那个些位们着过让使得地有" +
    "與對為於從還嗎麼誰幾並該這個們著過讓會后後時",
);

const WEIGHT = { common: 0.1, character: 0.3, grammar: 0.4, other: 1 } as const;

export function weightOf(term: string): number {
  if (COMMON.has(term)) return WEIGHT.common;
  const [first = "", second, third] = term;
  if (second === undefined) return /\p{sc=Han}|\p{ExtPict}/u.test(first) ? WEIGHT.character : WEIGHT.common;
  if (third !== undefined) return WEIGHT.other;
  const isGrammar = GRAMMAR.has(first) || GRAMMAR.has(second) || /^\p{sc=Hira}{2}$/u.test(term);
  return isGrammar ? WEIGHT.grammar : WEIGHT.other;
}
