/** Every error leaves in one envelope; what nobody expected leaves as a 500 that tells nothing of the inside. */
import { ERROR_CODES, type ErrorCode } from "@agent-paas/shared/errors/codes.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import type { ErrorRequestHandler, Response } from "express";
import { contextOf } from "./request-context.ts";

/** What clients are told to wait when an unavailable part does not say. */
const DEFAULT_RETRY_AFTER_MS = SECOND;

export const errorHandler: ErrorRequestHandler = (thrown: unknown, _req, res, _next) => {
  const { logger } = contextOf(res);
  const error = toPlatformError(thrown);
  const level = error.code === "internal_error" ? "error" : error.status >= 500 ? "warn" : "debug";
  logger[level]({ err: error }, level === "debug" ? "request refused" : "request failed");
  if (res.headersSent) res.destroy();
  else sendError(res, error);
};

export function sendError(res: Response, error: PlatformError): void {
  const { requestId } = contextOf(res);
  if (error.status === 503 || error.retryAfterMs !== null) {
    res.setHeader("Retry-After", Math.ceil((error.retryAfterMs ?? DEFAULT_RETRY_AFTER_MS) / 1_000));
  }
  if (error.status === 401) res.setHeader("WWW-Authenticate", "Bearer");
  res.status(error.status).json({
    error: {
      message: error.message,
      type: error.type,
      code: error.code,
      param: error.param,
      request_id: requestId,
      ...error.details,
    },
  });
}

/** The error of a job as the error of a request that waited for it. */
export function jobError(code: string, message: string, details: Record<string, unknown>): PlatformError {
  return Object.hasOwn(ERROR_CODES, code)
    ? new PlatformError(code as ErrorCode, { message, details })
    : new PlatformError("agent_failed", { message, details });
}

function toPlatformError(thrown: unknown): PlatformError {
  if (thrown instanceof PlatformError) return thrown;
  // What express.json and the router throw carry a `type` or a `status`.
  const { type, status } = (thrown ?? {}) as { type?: unknown; status?: unknown };
  switch (type) {
    case "entity.parse.failed":
    case "request.size.invalid":
    case "request.aborted":
      return new PlatformError("invalid_json");
    case "entity.too.large":
      return new PlatformError("payload_too_large");
    case "encoding.unsupported":
    case "charset.unsupported":
      return new PlatformError("unsupported_encoding");
  }
  if (status === 400) return new PlatformError("invalid_request");
  return new PlatformError("internal_error", { cause: thrown });
}
