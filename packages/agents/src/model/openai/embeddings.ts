/**
 * The embedder by a provider's embedding model. How many texts a request may have differs by provider; a batch that is
 * refused for its size is divided, and the size that was accepted is remembered. A vector is stored only if it is one:
 * a null or a vector of another length would spoil what a collection finds.
 */
import type OpenAI from "openai";
import { APIError } from "openai";
import type { Embedder } from "../embedder.ts";
import { type ModelLimits, startWatchdog } from "../watchdog.ts";
import { readBatchLimit } from "./batch-limits.ts";
import { readFailure, reportsFailure } from "./error-body.ts";
import { failureOf, providerFailure, toPlatformError } from "./errors.ts";
import { readVectors, refused } from "./vectors.ts";

type EmbedderParts = {
  readonly client: OpenAI;
  readonly limits: ModelLimits;
  readonly redact: (text: string) => string;
};

/** @param batchSize texts per request, until the provider wants fewer. */
export function createEmbedder(model: string, batchSize: number, { client, limits, redact }: EmbedderParts): Embedder {
  let accepted = batchSize;

  async function embedBatch(input: readonly string[], signal: AbortSignal): Promise<number[][]> {
    const watchdog = startWatchdog(limits, signal);
    try {
      // As floats, because not every provider supports base64, the SDK's default.
      const request = { model, input: [...input], encoding_format: "float" as const };
      const answer: unknown = await client.embeddings.create(request, { signal: watchdog.signal });
      if (reportsFailure(answer)) throw providerFailure({ status: 200, ...readFailure(answer) }, redact);
      return readVectors(answer, input.length);
    } catch (error) {
      throw watchdog.signal.aborted ? watchdog.signal.reason : error;
    } finally {
      watchdog.release();
    }
  }

  return {
    name: model,
    async embed(texts, signal) {
      const vectors: number[][] = [];
      let size = accepted;
      while (vectors.length < texts.length) {
        const input = texts.slice(vectors.length, vectors.length + Math.min(size, accepted));
        try {
          vectors.push(...(await embedBatch(input, signal)));
        } catch (error) {
          const limit = error instanceof APIError ? readBatchLimit(failureOf(error), input.length) : null;
          if (limit === null) throw toPlatformError(error, redact);
          size = limit.count;
          if (limit.isLasting) accepted = Math.min(accepted, limit.count);
        }
      }
      const [first] = vectors;
      if (vectors.some(({ length }) => length !== first?.length)) throw refused("the vectors have different lengths");
      return vectors;
    },
  };
}
