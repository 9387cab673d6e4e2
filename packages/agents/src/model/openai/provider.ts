/**
 * The model provider: the OpenAI protocol (chat completions, embeddings) through the `openai` package, for every server
 * that implements it (OpenAI, DeepSeek, Qwen, vLLM, Ollama, the local model server). The SDK's retries are off: a retry
 * is a new attempt of the job, and clients see it as an event.
 */
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { createRedactor } from "@agent-paas/shared/logging/redact.ts";
import type { ProxySettings } from "../../http/http-agent.ts";
import { type ChunkSink, produceChunks } from "../chunk-stream.ts";
import type { Embedder } from "../embedder.ts";
import { estimateUsage } from "../meter.ts";
import { hasParts, type Model, type ModelChunk, type ModelRequest, type ModelTurn } from "../model.ts";
import { type ModelLimits, startWatchdog, type Watchdog } from "../watchdog.ts";
import { type Ask, type Asked, type Asking, createAsk, type OpenAiModelOptions } from "./ask.ts";
import { createChunkReader } from "./chunks.ts";
import { ProviderClient } from "./client.ts";
import { createEmbedder } from "./embeddings.ts";
import { type ProviderFailure, readFailure } from "./error-body.ts";
import { providerFailure, toPlatformError } from "./errors.ts";
import { readEvents, wholeAnswer } from "./read-events.ts";
import { createTransport } from "./transport.ts";
import { createTurn, type Turn } from "./turn.ts";

export type { ModelLimits } from "../watchdog.ts";
export type { OpenAiModelOptions } from "./ask.ts";

/** Above this many chunks that the reader has not taken, the socket is paused: otherwise they would fill the memory. */
const MAX_WAITING = 1_000;
/** Clients may name any model. */
const MAX_REMEMBERED = 1_000;
/** Ends the reading of an answer. */
const FAILED = new Error("the answer reports a failure");

type Reading = {
  readonly signal: AbortSignal;
  readonly watchdog: Watchdog;
  readonly asking: Asking;
  readonly sink: ChunkSink;
};

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

  /** Whose deltas repeat the whole text so far. */
  const cumulative = new Set<string>();

  function stream(request: ModelRequest, signal: AbortSignal, ask: Ask): AsyncGenerator<ModelChunk, ModelTurn> {
    const left = new AbortController();
    return produceChunks(
      (sink) => produce(request, AbortSignal.any([signal, left.signal]), ask(request), sink),
      () => left.abort(),
    );
  }

  async function produce(
    request: ModelRequest,
    signal: AbortSignal,
    asking: Asking,
    sink: ChunkSink,
  ): Promise<ModelTurn> {
    const watchdog = startWatchdog(limits, signal);
    const hadParts = request.messages.some(hasParts);
    try {
      for (;;) {
        const asked = await asking.send(watchdog.signal);
        const { names, form, origin } = asked;
        const turn = createTurn({ show: sink.push, origin, keepsTags: form.returnReasoning === "think" });
        const failure = await read(asked, turn, { signal, watchdog, asking, sink });
        // A refusal may come in an accepted answer, too.
        if (failure !== null && !turn.hasBegun() && asking.adapts(failure)) continue;
        if (failure !== null) throw providerFailure({ ...failure, hadParts }, redact);
        const finished = turn.finish((content, toolCalls) => estimateUsage(request, content, toolCalls));
        const toolCalls = finished.toolCalls.map((call) => ({ ...call, name: names.toPlatform(call.name) }));
        return { ...finished, toolCalls, model: asking.name };
      }
    } catch (error) {
      throw watchdog.signal.aborted ? watchdog.signal.reason : toPlatformError(error, redact, hadParts);
    } finally {
      watchdog.release();
    }
  }

  /** Returns the failure that the answer reports, or null. */
  async function read(
    { response, origin }: Asked,
    turn: Turn,
    { signal, watchdog, asking, sink }: Reading,
  ): Promise<ProviderFailure | null> {
    const body = transport.bodyOf(response);
    const reader = createChunkReader(turn.add, cumulative.has(origin) ? "cumulative" : "unknown");
    function take(data: string, name?: string): void {
      reader.read(data, name);
      if (turn.hasGrown()) {
        watchdog.touch();
        asking.accepted();
      }
      if (turn.failure() !== null) throw FAILED;
      if (sink.waiting() <= MAX_WAITING || body === undefined || body.isPaused()) return;
      body.pause();
      sink.onceTaken(() => body.resume());
    }
    try {
      if (body !== undefined) await readEvents(body, take);
      else for (const { data, name } of wholeAnswer(await response.text())) take(data, name);
    } catch (error) {
      const failure = turn.failure();
      if (failure !== null) return readFailure(failure.said);
      // A connection that breaks or falls silent behind the end of the turn takes nothing but its usage.
      const isOver = turn.hasEnded() && !signal.aborted;
      if (!isOver || (error instanceof PlatformError && !watchdog.signal.aborted)) throw error;
    }
    if (reader.kind() === "plain") cumulative.delete(origin);
    else if (reader.kind() === "cumulative" && cumulative.size < MAX_REMEMBERED) cumulative.add(origin);
    // An abort may coincide with the end of the body, which then looks complete.
    if (turn.hasEnded()) signal.throwIfAborted();
    else watchdog.signal.throwIfAborted();
    return null;
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
