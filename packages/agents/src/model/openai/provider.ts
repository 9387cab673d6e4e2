/**
 * The model provider: the OpenAI protocol (chat completions, embeddings) through the `openai` package, for every server
 * that implements it (OpenAI, DeepSeek, Qwen, vLLM, Ollama, the local model server). The SDK's retries are off: a retry
 * is a new attempt of the job, and clients see it as an event.
 */
import type { Usage } from "@agent-paas/shared/contract/jobs.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { createRedactor } from "@agent-paas/shared/logging/redact.ts";
import type OpenAI from "openai";
import type { Embedder } from "../embedder.ts";
import { estimateUsage } from "../meter.ts";
import type { Model, ModelChunk, ModelRequest, ModelTurn } from "../model.ts";
import { type ModelLimits, startWatchdog } from "../watchdog.ts";
import { ProviderClient } from "./client.ts";
import { createEmbedder } from "./embeddings.ts";
import { toPlatformError } from "./errors.ts";
import { readEvents } from "./read-events.ts";
import { type OpenAiModelOptions, toCompletionRequest } from "./request.ts";
import { createToolCallCollector, type ToolCallDelta } from "./tool-calls.ts";
import { createTransport } from "./transport.ts";
import { readUsage } from "./usage.ts";

export type OpenAiProviderOptions = {
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly limits: ModelLimits;
};

export type OpenAiProvider = {
  model(options: OpenAiModelOptions): Model;
  /** An embedder by the provider's embedding model of that name. */
  embedder(model: string): Embedder;
  /** Closes the connections to the provider, which all its models and embedders share. */
  close(): Promise<void>;
};

/** The fields that are read of a streamed chunk. `reasoning_content` is an extension of DeepSeek, Qwen and vLLM. */
type Chunk = {
  readonly choices?: readonly {
    readonly delta?: {
      readonly content?: string | null;
      readonly reasoning_content?: string | null;
      readonly tool_calls?: readonly ToolCallDelta[];
    };
    readonly finish_reason?: string | null;
  }[];
  readonly usage?: Partial<OpenAI.CompletionUsage> | null;
  /** A failure that the provider reports after the stream has begun. */
  readonly error?: unknown;
};

const LAST_EVENT = "[DONE]";

export function createOpenAiProvider({ baseUrl, apiKey, limits }: OpenAiProviderOptions): OpenAiProvider {
  // The watchdog limits silence, so the transport limits only the time to connect.
  const transport = createTransport(limits.connectMs);
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
    options: OpenAiModelOptions,
  ): AsyncGenerator<ModelChunk, ModelTurn> {
    const watchdog = startWatchdog(limits, signal);
    const collector = createToolCallCollector();
    let content = "";
    let reasoning = "";
    let finishReason: string | null = null;
    let usage: Usage | null = null;
    try {
      const response = await client.chat.completions
        .create(toCompletionRequest(request, options), { signal: watchdog.signal })
        .asResponse();
      const body = transport.bodyOf(response);
      if (body === undefined) throw new PlatformError("model_stream_broken");
      for await (const events of readEvents(body, LAST_EVENT)) {
        for (const event of events) {
          const chunk: Chunk = JSON.parse(event);
          if (chunk.error) throw new Error(`The provider broke off: ${JSON.stringify(chunk.error)}`);
          const choice = chunk.choices?.[0];
          const delta = choice?.delta;
          if (delta?.reasoning_content) {
            watchdog.touch();
            reasoning += delta.reasoning_content;
            yield { type: "reasoning", content: delta.reasoning_content };
          }
          if (delta?.content) {
            watchdog.touch();
            content += delta.content;
            yield { type: "text", content: delta.content };
          }
          if (delta?.tool_calls) {
            watchdog.touch();
            for (const call of delta.tool_calls) collector.add(call);
          }
          finishReason = choice?.finish_reason ?? finishReason;
          if (chunk.usage) usage = readUsage(chunk.usage);
        }
      }
      // An abort may coincide with the end of the body, which then looks complete.
      watchdog.signal.throwIfAborted();
      if (finishReason === null) throw new PlatformError("model_stream_broken");
      const toolCalls = collector.calls();
      return {
        content,
        toolCalls,
        finishReason,
        usage: usage ?? estimateUsage(request, reasoning + content, toolCalls),
      };
    } catch (error) {
      throw watchdog.signal.aborted ? watchdog.signal.reason : toPlatformError(error, redact);
    } finally {
      watchdog.release();
    }
  }

  return {
    model: (options) => ({ stream: (request, signal) => stream(request, signal, options) }),
    embedder: (model) => createEmbedder(model, { client, limits, redact }),
    close: () => transport.close(),
  };
}
