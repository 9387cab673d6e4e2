/**
 * The model provider: the OpenAI protocol (chat completions, embeddings) through the `openai` package, for every server
 * that implements it (OpenAI, DeepSeek, Qwen, vLLM, Ollama, the local model server). The SDK's retries are off: a retry
 * is a new attempt of the job, and clients see it as an event.
 */
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { createRedactor } from "@agent-paas/shared/logging/redact.ts";
import type { ProxySettings } from "../../http/http-agent.ts";
import type { Embedder } from "../embedder.ts";
import { estimateUsage } from "../meter.ts";
import type { Model, ModelChunk, ModelRequest, ModelTurn } from "../model.ts";
import { type ModelLimits, startWatchdog } from "../watchdog.ts";
import { createAsk, type OpenAiModelOptions } from "./ask.ts";
import { createChunkReader } from "./chunks.ts";
import { ProviderClient } from "./client.ts";
import { createEmbedder } from "./embeddings.ts";
import { readFailure } from "./error-body.ts";
import { providerFailure, toPlatformError } from "./errors.ts";
import { readEvents, wholeAnswer } from "./read-events.ts";
import { createTransport } from "./transport.ts";
import { createTurn } from "./turn.ts";

export type { OpenAiModelOptions } from "./ask.ts";

export type OpenAiProviderOptions = {
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly limits: ModelLimits;
  /** Default: none. */
  readonly proxy?: ProxySettings | undefined;
};

export type OpenAiProvider = {
  model(options: OpenAiModelOptions): Model;
  /** An embedder by the provider's embedding model of that name, which gets so many texts at once. */
  embedder(model: string, batchSize: number): Embedder;
  /** Closes the connections to the provider, which all its models and embedders share. */
  close(): Promise<void>;
};

export function createOpenAiProvider({ baseUrl, apiKey, limits, proxy }: OpenAiProviderOptions): OpenAiProvider {
  // The watchdog limits silence, so the transport limits only the time to connect.
  const transport = createTransport(limits.connectMs, proxy);
  const redact = createRedactor([apiKey]);
  const client = new ProviderClient({
    baseURL: baseUrl,
    apiKey,
    maxRetries: 0,
    timeout: limits.totalMs,
    logLevel: "off",
    fetch: transport.fetch,
  });

  async function* stream(
    request: ModelRequest,
    signal: AbortSignal,
    ask: ReturnType<typeof createAsk>,
  ): AsyncGenerator<ModelChunk, ModelTurn> {
    const watchdog = startWatchdog(limits, signal);
    const turn = createTurn();
    const reader = createChunkReader(turn.add);
    try {
      const { response, names } = await ask(request, watchdog.signal);
      const body = transport.bodyOf(response);
      const batches = body === undefined ? [wholeAnswer(await response.text())] : readEvents(body);
      try {
        for await (const events of batches) {
          for (const event of events) {
            reader.read(event);
            if (turn.hasGrown()) watchdog.touch();
            for (const chunk of turn.take()) yield chunk;
            const failure = turn.failure();
            if (failure !== null) throw providerFailure(readFailure(failure.said), redact);
          }
        }
      } catch (error) {
        // A connection that breaks or falls silent behind the end of the turn takes nothing but its usage.
        const isOver = turn.hasEnded() && !signal.aborted;
        if (!isOver || (error instanceof PlatformError && !watchdog.signal.aborted)) throw error;
      }
      // An abort may coincide with the end of the body, which then looks complete.
      if (turn.hasEnded()) signal.throwIfAborted();
      else watchdog.signal.throwIfAborted();
      const finished = turn.finish((content, toolCalls) => estimateUsage(request, content, toolCalls));
      for (const chunk of turn.take()) yield chunk;
      const toolCalls = finished.toolCalls.map((call) => ({ ...call, name: names.toPlatform(call.name) }));
      return { ...finished, toolCalls };
    } catch (error) {
      throw watchdog.signal.aborted ? watchdog.signal.reason : toPlatformError(error, redact);
    } finally {
      watchdog.release();
    }
  }

  return {
    model(options) {
      const ask = createAsk(client, options);
      return { stream: (request, signal) => stream(request, signal, ask) };
    },
    embedder: (model, batchSize) => createEmbedder(model, batchSize, { client, limits, redact }),
    close: () => transport.close(),
  };
}
