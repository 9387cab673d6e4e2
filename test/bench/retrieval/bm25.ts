/** Plain BM25 by a library, with the words that suit the language: what a search engine finds without any vectors. */
import { textToEmbed } from "@agent-paas/agents/retrieval/search-collection.ts";
import MiniSearch from "minisearch";
import type { QuestionSet } from "./question-set.ts";
import type { Search } from "./rank.ts";

const segmenter = new Intl.Segmenter("zh", { granularity: "word" });

const HAN = /(\p{sc=Han}+)/u;
const wordsOf = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];

/** Chinese as words of a dictionary, or as pairs of characters; which is better depends on the texts. */
const TOKENIZERS: Readonly<Record<string, (text: string) => string[]>> = {
  "BM25, words": (text) =>
    [...segmenter.segment(text.toLowerCase())].flatMap(({ segment, isWordLike }) => (isWordLike ? [segment] : [])),
  "BM25, pairs of characters": (text) =>
    wordsOf(text).flatMap((word) => word.split(HAN).flatMap((part, at) => (at % 2 === 0 ? [part] : pairsOf(part)))),
};

const pairsOf = (han: string): string[] => {
  const characters = [...han];
  return characters.length === 1 ? characters : characters.slice(1).map((next, at) => `${characters[at]}${next}`);
};

export function openBm25({ chunks }: QuestionSet): Record<string, Search> {
  const open = (tokenize: (text: string) => string[]): Search => {
    const index = new MiniSearch({ fields: ["text"], tokenize, processTerm: (term) => term || null });
    index.addAll(chunks.map((chunk, id) => ({ id, text: textToEmbed(chunk) })));
    return async (query, topK) =>
      index
        .search(query)
        .slice(0, topK)
        .flatMap(({ id }) => chunks[Number(id)] ?? []);
  };
  return Object.fromEntries(Object.entries(TOKENIZERS).map(([name, tokenize]) => [name, open(tokenize)]));
}
