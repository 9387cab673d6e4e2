/** The embedder by a provider's embedding model. */
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type OpenAI from "openai";
import type { Embedder } from "../embedder.ts";
import { type ModelLimits, startWatchdog } from "../watchdog.ts";
import { toPlatformError } from "./errors.ts";

type EmbedderParts = {
  readonly client: OpenAI;
  readonly limits: ModelLimits;
  readonly redact: (text: string) => string;
};

/** Texts per request for embeddings: every provider accepts this many. */
const EMBED_AT_ONCE = 64;

export function createEmbedder(model: string, { client, limits, redact }: EmbedderParts): Embedder {
  async function embedBatch(input: readonly string[], signal: AbortSignal): Promise<number[][]> {
    const watchdog = startWatchdog(limits, signal);
    try {
      // As floats, because not every provider supports base64, the SDK's default.
      const request = { model, input: [...input], encoding_format: "float" as const };
      const { data } = await client.embeddings.create(request, { signal: watchdog.signal });
      const vectors = data.toSorted((a, b) => a.index - b.index).map(({ embedding }) => toUnitLength(embedding));
      if (vectors.length !== input.length) throw new PlatformError("model_unavailable");
      return vectors;
    } catch (error) {
      throw watchdog.signal.aborted ? watchdog.signal.reason : toPlatformError(error, redact);
    } finally {
      watchdog.release();
    }
  }

  return {
    name: model,
    async embed(texts, signal) {
      const vectors: number[][] = [];
      for (let at = 0; at < texts.length; at += EMBED_AT_ONCE) {
        vectors.push(...(await embedBatch(texts.slice(at, at + EMBED_AT_ONCE), signal)));
      }
      return vectors;
    },
  };
}

function toUnitLength(vector: readonly number[]): number[] {
  const length = Math.hypot(...vector);
  return length === 0 ? [...vector] : vector.map((value) => value / length);
}
