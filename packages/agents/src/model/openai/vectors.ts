/** Reads the vectors of an answer. If one of them is no vector, nothing of the answer is used. */
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";

/** One vector of length 1 per text, in the order of the texts. */
export function readVectors(answer: unknown, count: number): number[][] {
  const data = fieldOf(answer, "data");
  if (!Array.isArray(data)) throw refused("the answer has no list of vectors");
  if (data.length !== count) throw refused(`${data.length} vectors for ${count} texts`);
  // Without any index the vectors are in the order of the texts. Google's JSON leaves out a number that is 0.
  const isIndexed = data.some((each) => fieldOf(each, "index") != null);
  const vectors: (number[] | undefined)[] = Array(count).fill(undefined);
  for (const [at, each] of data.entries()) {
    const index = isIndexed ? (fieldOf(each, "index") ?? 0) : at;
    if (typeof index !== "number" || !(index in vectors)) throw refused("a vector has no place among the texts");
    if (vectors[index] !== undefined) throw refused(`two vectors for the text ${index}`);
    vectors[index] = toUnitLength(readVector(fieldOf(each, "embedding")));
  }
  return vectors.map((vector) => vector ?? []);
}

function readVector(embedding: unknown): number[] {
  const values = typeof embedding === "string" ? fromBase64(embedding) : embedding;
  if (!Array.isArray(values) || values.length === 0) throw refused("a vector is empty, or none");
  if (!values.every((value): value is number => typeof value === "number" && Number.isFinite(value))) {
    throw refused("a vector has values that are no numbers");
  }
  return values;
}

/** 32-bit floats, as OpenAI encodes them; some providers send them although floats were asked for. */
function fromBase64(text: string): number[] {
  const bytes = Buffer.from(text, "base64");
  if (bytes.byteLength === 0 || bytes.byteLength % 4 !== 0) throw refused("a vector is neither numbers nor base64");
  return Array.from({ length: bytes.byteLength / 4 }, (_, at) => bytes.readFloatLE(at * 4));
}

function toUnitLength(vector: readonly number[]): number[] {
  const length = Math.hypot(...vector);
  if (!Number.isFinite(length)) throw refused("a vector is too long to be one");
  return length === 0 ? [...vector] : vector.map((value) => value / length);
}

const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null && name in value ? (value as Record<string, unknown>)[name] : undefined;

export const refused = (reason: string): PlatformError =>
  new PlatformError("model_unavailable", { cause: new Error(`The provider's embeddings cannot be used: ${reason}`) });
