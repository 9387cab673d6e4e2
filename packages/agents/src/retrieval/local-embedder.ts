/**
 * An embedder that needs no model and no download: it hashes the terms of a text into a vector. It finds texts that
 * share words with the query in the same language; it cannot find texts that say the same in other words.
 */
import type { Embedder, Probe } from "../model/embedder.ts";
import { createPauses } from "./pauses.ts";
import { weightOf } from "./term-weights.ts";
import { type KnownRuns, termsOf } from "./terms.ts";

export const DIMENSIONS = 2_048;
/** Put the same terms into the same dimensions, and only found fewer: its vectors can be searched and added to. */
const FORMER_NAME = `local-hash-${DIMENSIONS}-v1`;
/** Any change to how vectors are computed needs another name; `reads` says which vectors can be compared. */
export function createLocalEmbedder(): Embedder {
  async function embed(texts: readonly string[], signal: AbortSignal): Promise<number[][]> {
    const vectors: number[][] = [];
    const known: KnownRuns = new Map();
    const pause = createPauses(signal);
    for (const text of texts) {
      vectors.push(embedText(text, known));
      await pause();
    }
    return vectors;
  }
  return {
    name: `local-hash-${DIMENSIONS}-v2`,
    reads: (name) => (name === FORMER_NAME ? { name, embed, probes } : undefined),
    embed,
    probes,
  };

  async function probes(query: string): Promise<Probe[]> {
    return [{ of: "terms", vector: embedText(query), scale: 1 }];
  }
}

function embedText(text: string, known?: KnownRuns): number[] {
  const counts = new Map<string, number>();
  for (const term of termsOf(text, known)) counts.set(term, (counts.get(term) ?? 0) + 1);
  const vector = new Array<number>(DIMENSIONS).fill(0);
  for (const [term, count] of counts) {
    const hash = hashOf(term);
    const at = hash % DIMENSIONS;
    const weight = (1 + Math.log(count)) * weightOf(term);
    // Signed, so that terms which collide in one dimension cancel out as often as they add up.
    vector[at] = (vector[at] ?? 0) + (hash >>> 31 === 0 ? weight : -weight);
  }
  const length = Math.hypot(...vector);
  // A text without terms needs some vector of length 1, because a zero vector has no cosine.
  if (length === 0) vector[0] = 1;
  return length === 0 ? vector : vector.map((value) => value / length);
}

/** FNV-1a over UTF-16 units, then mixed so that every output bit depends on every input bit. */
function hashOf(term: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < term.length; at += 1) hash = Math.imul(hash ^ term.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
