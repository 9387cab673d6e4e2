/**
 * The model provider: the OpenAI protocol (chat completions, embeddings) through the `openai` package, for every server
 * that implements it (OpenAI, DeepSeek, Qwen, vLLM, Ollama, the local model server). The only file that imports the
 * SDK. The SDK's retries are off: a retry is a new attempt of the job, and clients see it as an event.
 */
import type { Usage } from "@agent-paas/shared/contract/jobs.ts";
import type { ErrorCode } from "@agent-paas/shared/errors/codes.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { createRedactor } from "@agent-paas/shared/logging/redact.ts";
import OpenAI, { APIConnectionError, APIError } from "openai";
import type { Embedder } from "./embedder.ts";
import { estimateUsage } from "./meter.ts";
import type { Model, ModelChunk, ModelMessage, ModelRequest, ModelTurn } from "./model.ts";
import { readEvents } from "./read-events.ts";
import { createToolCallCollector, type ToolCallDelta } from "./tool-call-collector.ts";
import { createTransport } from "./transport.ts";
import { type ModelLimits, startWatchdog } from "./watchdog.ts";

export type OpenAiProviderOptions = {
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly limits: ModelLimits;
};

export type OpenAiModelOptions = {
  readonly defaultModel: string;
  /** How a request's `responseSchema` is sent to the provider. */
  readonly responseFormat: "none" | "json_object" | "json_schema";
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

/** Texts per request for embeddings: every provider accepts this many. */
const EMBED_AT_ONCE = 64;

export function createOpenAiProvider({ baseUrl, apiKey, limits }: OpenAiProviderOptions): OpenAiProvider {
  // The watchdog limits silence, so the transport limits only the time to connect.
  const transport = createTransport(limits.connectMs);
  const redact = createRedactor([apiKey]);
  const client = new OpenAI({
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

  async function embed(model: string, input: readonly string[], signal: AbortSignal): Promise<number[][]> {
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
    model: (options) => ({ stream: (request, signal) => stream(request, signal, options) }),
    embedder: (model) => ({
      name: model,
      async embed(texts, signal) {
        const vectors: number[][] = [];
        for (let at = 0; at < texts.length; at += EMBED_AT_ONCE) {
          vectors.push(...(await embed(model, texts.slice(at, at + EMBED_AT_ONCE), signal)));
        }
        return vectors;
      },
    }),
    close: () => transport.close(),
  };
}

function toCompletionRequest(request: ModelRequest, { defaultModel, responseFormat }: OpenAiModelOptions) {
  const { model, messages, temperature, topP, maxTokens, tools = [], responseSchema } = request;
  return {
    model: model ?? defaultModel,
    messages: messages.map(toProviderMessage),
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { top_p: topP }),
    ...(maxTokens === undefined ? {} : { max_tokens: maxTokens }),
    ...(tools.length === 0
      ? {}
      : { tools: tools.map((tool) => ({ type: "function" as const, function: { ...tool } })) }),
    ...(responseSchema === undefined ? {} : toResponseFormat(responseSchema, responseFormat)),
    stream: true as const,
    stream_options: { include_usage: true },
  };
}

function toResponseFormat(schema: Readonly<Record<string, unknown>>, format: OpenAiModelOptions["responseFormat"]) {
  if (format === "none") return {};
  if (format === "json_object") return { response_format: { type: "json_object" as const } };
  return {
    response_format: { type: "json_schema" as const, json_schema: { name: "response", schema: { ...schema } } },
  };
}

function toProviderMessage(message: ModelMessage): OpenAI.ChatCompletionMessageParam {
  if (message.role === "tool") return { role: "tool", tool_call_id: message.callId, content: message.content };
  if (message.role !== "assistant" || !message.toolCalls?.length) {
    return { role: message.role, content: message.content };
  }
  const tool_calls = message.toolCalls.map(({ id, name, arguments: args }) => ({
    id,
    type: "function" as const,
    function: { name, arguments: args },
  }));
  return { role: "assistant", content: message.content || null, tool_calls };
}

/** Null when a count is missing or no number: the caller then estimates, because NaN would disable the budget. */
function readUsage({ prompt_tokens, completion_tokens, total_tokens }: Partial<OpenAI.CompletionUsage>): Usage | null {
  if (typeof prompt_tokens !== "number" || typeof completion_tokens !== "number") return null;
  return {
    input_tokens: prompt_tokens,
    output_tokens: completion_tokens,
    total_tokens: total_tokens ?? prompt_tokens + completion_tokens,
  };
}

function toUnitLength(vector: readonly number[]): number[] {
  const length = Math.hypot(...vector);
  return length === 0 ? [...vector] : vector.map((value) => value / length);
}

function toPlatformError(error: unknown, redact: (text: string) => string): PlatformError {
  if (error instanceof PlatformError) return error;
  if (error instanceof APIConnectionError) return new PlatformError("model_unavailable", { cause: error });
  if (error instanceof APIError && error.status !== undefined) {
    const code = codeOf(error.status, error.code);
    // When the request itself is at fault, only the provider's message helps the client. Otherwise it stays in the log.
    const message =
      code === "model_rejected"
        ? `The model provider rejected the request: ${redact(providerWords(error))}`
        : undefined;
    const retryAfterMs = readRetryAfter(error.headers);
    return new PlatformError(code, {
      cause: error,
      ...(message === undefined ? {} : { message }),
      ...(retryAfterMs === null ? {} : { retryAfterMs }),
    });
  }
  return new PlatformError("model_stream_broken", { cause: error });
}

function codeOf(status: number, providerCode: string | null | undefined): ErrorCode {
  // Two failures that no retry heals, although their statuses (429 and 400) also stand for others.
  if (providerCode === "insufficient_quota") return "model_quota_exceeded";
  if (providerCode === "context_length_exceeded") return "model_context_exceeded";
  if (status === 401 || status === 403) return "model_auth_failed";
  if (status === 429) return "model_rate_limited";
  if (status === 408) return "model_timeout";
  return status >= 500 || status === 409 ? "model_unavailable" : "model_rejected";
}

const MAX_PROVIDER_WORDS = 300;

function providerWords(error: APIError): string {
  const words = (error.error as { message?: unknown } | undefined)?.message;
  return typeof words === "string" ? words.slice(0, MAX_PROVIDER_WORDS) : `HTTP ${error.status}`;
}

function readRetryAfter(headers: Headers | undefined): number | null {
  const text = headers?.get("retry-after");
  if (!text) return null;
  const ms = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - Date.now();
  return Number.isFinite(ms) && ms >= 0 ? ms : null;
}
