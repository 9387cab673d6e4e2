/** Gives every request an id, returned as `X-Request-Id` and carried by every log line of the request and its job. */
import { newId } from "@agent-paas/shared/ids.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import type { Request, RequestHandler, Response } from "express";

/** Monitors request these every few seconds, so they are logged as `debug`. */
const PROBES = /\/(health|livez|readyz)$/;

export type RequestContext = {
  readonly requestId: string;
  /** Adds fields to the request's line in the log. */
  readonly note: (fields: Readonly<Record<string, unknown>>) => void;
};

/** A longer path is none of ours; the log keeps its beginning. */
const MAX_LOGGED_PATH = 500;

/** An id that a proxy or a client sent is used if it has this form. */
const PLAIN_ID = /^[A-Za-z0-9._-]{1,100}$/;

export function requestContext(logger: Logger): RequestHandler {
  return (req, res, next) => {
    const given = req.get("x-request-id");
    const requestId = given !== undefined && PLAIN_ID.test(given) ? given : newId();
    const noted = {};
    const context: RequestContext = { requestId, note: (fields) => Object.assign(noted, fields) };
    res.locals.context = context;
    res.setHeader("X-Request-Id", requestId);
    logResponse(req, res, logger, { request_id: requestId, noted });
    next();
  };
}

export const contextOf = (res: Response): RequestContext => res.locals.context as RequestContext;

/** One line per request, with its method and path; never its query or body. */
function logResponse(
  req: Request,
  res: Response,
  logger: Logger,
  { request_id, noted }: { readonly request_id: string; readonly noted: object },
): void {
  const startedAt = performance.now();
  res.on("close", () => {
    const { method } = req;
    const path = req.path.slice(0, MAX_LOGGED_PATH);
    const fields = {
      request_id,
      method,
      path,
      status: res.statusCode,
      ms: Math.round(performance.now() - startedAt),
      // An SSE client that leaves early is no fault; the job goes on (I7).
      complete: res.writableFinished,
      ...noted,
    };
    const level = PROBES.test(path) ? "debug" : res.statusCode === 500 ? "error" : "info";
    logger[level](fields, "request");
  });
}
