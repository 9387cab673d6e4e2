/**
 * Converts text to a vector without a model: words and pairs of CJK characters are hashed into buckets. Texts that
 * share words get similar vectors, so retrieval works plausibly, and a text has the same vector on every machine.
 */
import { hash32 } from "./text.ts";
import { CJK } from "./tokenize.ts";

export const DEFAULT_DIMENSIONS = 256;

const RUN = new RegExp(`(?<cjk>[${CJK}&&[\\p{L}\\p{N}]]+)|[[\\p{L}\\p{M}\\p{N}]--${CJK}]+`, "gv");

/** A vector of length 1. */
export function embed(text: string, dimensions: number): Float32Array<ArrayBuffer> {
  const vector = new Float32Array(dimensions);
  for (const feature of featuresOf(text.normalize("NFKC").toLowerCase())) {
    const hash = hash32(feature);
    // The lowest bit becomes a sign: with it the product of unrelated texts is near 0 instead of above it.
    const bucket = (hash >>> 1) % dimensions;
    vector[bucket] = (vector[bucket] ?? 0) + (hash & 1 ? 1 : -1);
  }
  const length = Math.hypot(...vector);
  // Opposite signs in one bucket can cancel out; a zero vector would have no direction.
  if (length === 0) vector[hash32(text) % dimensions] = 1;
  else for (let index = 0; index < dimensions; index++) vector[index] = (vector[index] ?? 0) / length;
  return vector;
}

function* featuresOf(text: string): Generator<string> {
  for (const { 0: run, groups } of text.matchAll(RUN)) {
    const characters = groups?.cjk ? [...run] : [];
    if (characters.length < 2) yield run;
    for (let index = 1; index < characters.length; index++) yield `${characters[index - 1]}${characters[index]}`;
  }
}
