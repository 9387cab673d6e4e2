/**
 * A provider's embedding with the terms beside it, in one vector: its first part compares meanings, its second part the
 * terms. So one collection answers both, and what holds for a chunk (its version, its deletion) holds for both.
 */
import type { Embedder } from "../model/embedder.ts";

/** Both parts have length 1 before. */
const SHARE = Math.SQRT1_2;

export function createHybridEmbedder(meaning: Embedder, terms: Embedder): Embedder {
  const embedBoth = async (texts: readonly string[], signal: AbortSignal) =>
    Promise.all([meaning.embed(texts, signal), terms.embed(texts, signal)]);
  return {
    name: `${meaning.name}+${terms.name}`,
    async embed(texts, signal) {
      const [meanings, ofTerms] = await embedBoth(texts, signal);
      return meanings.map((vector, at) => [...vector, ...(ofTerms[at] ?? [])].map((value) => value * SHARE));
    },
    async probes(query, signal) {
      const [[own = []], [ofTerms = []]] = await embedBoth([query], signal);
      return [
        { of: "meaning", vector: [...own, ...ofTerms.map(() => 0)], scale: 1 / SHARE },
        { of: "terms", vector: [...own.map(() => 0), ...ofTerms], scale: 1 / SHARE },
      ];
    },
  };
}

/** New collections are made with `preferred`; those made with one of `others` can still be read and added to. */
export const readingAlso = (preferred: Embedder, ...others: readonly Embedder[]): Embedder => ({
  ...preferred,
  reads: (name) => others.find((other) => other.name === name) ?? preferred.reads?.(name),
});
