/** A route is a value: method, path below `/api/v1`, handler. The app mounts a list of them, tests read the same list. */
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import type { Request, RequestHandler, Response } from "express";
import type { ApiConfig } from "../config.ts";

/** Who calls, and the request's own log. */
export type Caller = {
  /** The name of the API key: owner of what it makes (I8). */
  readonly owner: string;
  readonly requestId: string;
  readonly logger: Logger;
  /** Adds fields to the request's line in the log. */
  readonly note: (fields: Readonly<Record<string, unknown>>) => void;
};

type Handler<C> = (req: Request, res: Response, caller: C) => Promise<void> | void;

type RouteAt = { readonly method: "get" | "post" | "delete"; readonly path: string };

export type Route =
  | (RouteAt & {
      readonly access: "key";
      readonly handle: Handler<Caller>;
      /** Reads the body of a POST; default: JSON up to `MAX_BODY_BYTES`. */
      readonly bodyParser?: (config: ApiConfig) => RequestHandler;
    })
  /** Answers without a key: health and nothing else. */
  | (RouteAt & { readonly access: "public"; readonly handle: Handler<null> });
