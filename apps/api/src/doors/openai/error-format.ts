/** Errors as OpenAI sends them, so that its clients throw their own classes and retry what may succeed. */
import { ERROR_CODES, type ErrorCode } from "@agent-paas/shared/errors/codes.ts";
import type { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { z } from "zod";
import type { Door, FormatError } from "../../http/door.ts";

/** Codes that clients of OpenAI look for; the others are the platform's. */
const CODES: Partial<Record<ErrorCode, string>> = {
  agent_not_found: "model_not_found",
  model_context_exceeded: "context_length_exceeded",
  model_content_filtered: "content_filter",
};

const codeOf = (code: ErrorCode): string => CODES[code] ?? code;

const TYPES = ["invalid_request_error", "rate_limit_error", "server_error"] as const;

function typeOf({ status }: { readonly status: number }): (typeof TYPES)[number] {
  if (status >= 500) return "server_error";
  return status === 429 ? "rate_limit_error" : "invalid_request_error";
}

export const ErrorSchema = z
  .object({
    error: z.looseObject({
      message: z.string(),
      type: z.enum(TYPES),
      param: z.string().nullable().describe("The field of the request that is not valid."),
      code: z.string().nullable(),
    }),
  })
  .meta({ id: "OpenAIError" });

/** Of a job that failed in mid-stream, too. */
export const errorBody = (
  code: ErrorCode,
  message: string = ERROR_CODES[code].message,
  param: string | null = null,
) => ({
  error: { message, type: typeOf(ERROR_CODES[code]), param, code: codeOf(code) },
});

export const formatError: FormatError = ({ code, message, param, details }) => {
  const { error } = errorBody(code, message, param);
  return { error: { ...error, ...details } };
};

export const errorSchema: Door["errorSchema"] = (codes) =>
  z.object({
    error: ErrorSchema.shape.error.extend({
      type: z.enum([...new Set(codes.map((code) => typeOf(ERROR_CODES[code])))]),
      code: z.enum(codes.map(codeOf)),
    }),
  });

/**
 * Their clients retry every 409, 429 and 5xx unless they are told not to, and a repeated request does the work again.
 * What still goes on is not lost to a client that can join it.
 */
export const errorHeaders: NonNullable<Door["errorHeaders"]> = ({ code, retryable }: PlatformError, req) => {
  const isRetried = retryable && (code !== "answer_pending" || req.get("idempotency-key") !== undefined);
  return { "X-Should-Retry": String(isRetried) };
};
