/** What a provider's failures mean: the platform's code, the words for the user, and when to try again. */

import type { ErrorCode } from "@agent-paas/shared/errors/codes.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { cutText } from "@agent-paas/shared/text.ts";
import { APIConnectionError, APIError } from "openai";

export function toPlatformError(error: unknown, redact: (text: string) => string): PlatformError {
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
  return typeof words === "string" ? cutText(words, MAX_PROVIDER_WORDS) : `HTTP ${error.status}`;
}

function readRetryAfter(headers: Headers | undefined): number | null {
  const text = headers?.get("retry-after");
  if (!text) return null;
  const ms = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - Date.now();
  return Number.isFinite(ms) && ms >= 0 ? ms : null;
}
