/** Every error leaves in its door's format. An unexpected error leaves as a 500 without inner details. */
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { NumberOutOfRange } from "@agent-paas/shared/json/exact-json.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import type { ErrorRequestHandler, Response } from "express";
import type { Door } from "./door.ts";
import { contextOf } from "./request-context.ts";

/** The `Retry-After` of a 503 that names no time. */
const DEFAULT_RETRY_AFTER_MS = SECOND;

/** `fallback` formats the errors of requests outside every door. */
export function createErrorHandler(doors: readonly Door[], fallback: Door, logger: Logger): ErrorRequestHandler {
  return (thrown: unknown, req, res, _next) => {
    const { requestId: request_id } = contextOf(res);
    const error = toPlatformError(thrown);
    const level = error.code === "internal_error" ? "error" : error.status >= 500 ? "warn" : "debug";
    logger[level]({ request_id, err: error }, level === "debug" ? "request refused" : "request failed");
    const door = doors.find(({ basePath }) => `${req.path}/`.startsWith(`${basePath}/`)) ?? fallback;
    if (res.headersSent) res.destroy();
    else sendError(res, error, door);
  };
}

export function sendError(res: Response, error: PlatformError, { formatError, errorHeaders }: Door): void {
  const { requestId } = contextOf(res);
  if (error.status === 503 || error.retryAfterMs !== null) {
    res.setHeader("Retry-After", Math.ceil((error.retryAfterMs ?? DEFAULT_RETRY_AFTER_MS) / SECOND));
  }
  if (error.status === 401) res.setHeader("WWW-Authenticate", "Bearer");
  res.set(errorHeaders?.(error, res.req) ?? {});
  res.status(error.status).json(formatError(error, requestId));
}

function toPlatformError(thrown: unknown): PlatformError {
  if (thrown instanceof PlatformError) return thrown;
  if (thrown instanceof NumberOutOfRange) {
    return new PlatformError("invalid_json", {
      message: `The request body cannot be kept as it is: ${thrown.message}.`,
    });
  }
  // The errors of express.json and of the router carry a `type` or a `status`.
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
