/**
 * The model client: the OpenAI chat-completions protocol through the `openai` package, whoever serves it (OpenAI,
 * DeepSeek, Qwen, vLLM, Ollama, the local model server). The only file that imports the SDK. The SDK's retries are off:
 * a retry is a new attempt of the job, which clients are told of.
 */
import type { Usage } from "@agent-paas/shared/contract/jobs.ts";
import type { ErrorCode } from "@agent-paas/shared/errors/codes.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { createRedactor } from "@agent-paas/shared/logging/redact.ts";
import OpenAI, { APIConnectionError, APIError } from "openai";
import { Agent, fetch as undiciFetch } from "undici";
import { estimateUsage } from "./metered-model.ts";
import type { Model, ModelChunk, ModelRequest, ModelTurn } from "./model.ts";
import { type ModelLimits, startWatchdog } from "./watchdog.ts";

export type OpenAiModelOptions = {
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly defaultModel: string;
  readonly limits: ModelLimits;
};

export type OpenAiModel = Model & { close(): Promise<void> };

/** Connections to the provider are kept and shared; `close` ends them. */
export function createOpenAiModel({ baseUrl, apiKey, defaultModel, limits }: OpenAiModelOptions): OpenAiModel {
  // Silence is the watchdog's to judge, so the transport's own limits are off but for the connection's.
  const dispatcher = new Agent({ connect: { timeout: limits.connectMs }, headersTimeout: 0, bodyTimeout: 0 });
  const redact = createRedactor([apiKey]);
  const client = new OpenAI({
    baseURL: baseUrl,
    apiKey,
    maxRetries: 0,
    timeout: limits.totalMs,
    logLevel: "off",
    fetch: ((url: string, init: object) => undiciFetch(url, { ...init, dispatcher })) as unknown as typeof fetch,
  });

  async function* stream(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelChunk, ModelTurn> {
    const watchdog = startWatchdog(limits, signal);
    let content = "";
    let finishReason: string | null = null;
    let usage: Usage | null = null;
    try {
      const chunks = await client.chat.completions.create(
        {
          model: request.model ?? defaultModel,
          messages: [...request.messages],
          ...(request.temperature === undefined ? {} : { temperature: request.temperature }),
          ...(request.topP === undefined ? {} : { top_p: request.topP }),
          ...(request.maxTokens === undefined ? {} : { max_tokens: request.maxTokens }),
          stream: true,
          stream_options: { include_usage: true },
        },
        { signal: watchdog.signal },
      );
      for await (const chunk of chunks) {
        const choice = chunk.choices?.[0];
        // Not part of OpenAI's own protocol, but what DeepSeek, Qwen and vLLM send.
        const delta = choice?.delta as { content?: string | null; reasoning_content?: string | null } | undefined;
        if (delta?.reasoning_content) {
          watchdog.fed();
          yield { type: "reasoning", content: delta.reasoning_content };
        }
        if (delta?.content) {
          watchdog.fed();
          content += delta.content;
          yield { type: "text", content: delta.content };
        }
        finishReason = choice?.finish_reason ?? finishReason;
        if (chunk.usage) {
          const { prompt_tokens, completion_tokens, total_tokens } = chunk.usage;
          usage = { input_tokens: prompt_tokens, output_tokens: completion_tokens, total_tokens };
        }
      }
      // The SDK ends the loop without an error when an abort meets the end of a read.
      watchdog.signal.throwIfAborted();
      if (finishReason === null) throw new PlatformError("model_stream_broken");
      return { content, finishReason, usage: usage ?? estimateUsage(request, content) };
    } catch (error) {
      throw watchdog.signal.aborted ? watchdog.signal.reason : toPlatformError(error, redact);
    } finally {
      watchdog.release();
    }
  }

  return { stream, close: () => dispatcher.destroy() };
}

function toPlatformError(error: unknown, redact: (text: string) => string): PlatformError {
  if (error instanceof PlatformError) return error;
  if (error instanceof APIConnectionError) return new PlatformError("model_unavailable", { cause: error });
  if (error instanceof APIError && error.status !== undefined) {
    const code = codeOf(error.status, error.code);
    // Of the request's own faults the provider's words are the only help there is; of others they are for the log alone.
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
  // Two that no retry heals, under statuses that otherwise say more or less.
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
