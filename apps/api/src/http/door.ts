/**
 * A door is one client protocol: routes, error format and stream format over the same jobs. Doors and routes are
 * values: the app mounts them, and tests read the same lists.
 */
import type { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type { Request, RequestHandler, Response } from "express";
import type { ApiConfig } from "../config.ts";
import type { Services } from "../services.ts";
import type { RequestContext } from "./request-context.ts";
import type { StreamFormat } from "./stream-format.ts";

export type Door = {
  /** What the paths of its routes begin with, without a slash at the end. */
  readonly basePath: string;
  /** Must not use the services before a request comes: tests call it without any. */
  readonly routes: (services: Services) => readonly Route[];
  readonly formatError: FormatError;
  readonly stream: StreamFormat;
};

/** The JSON body of an error response. */
export type FormatError = (error: PlatformError, requestId: string) => object;

/** The client behind a request, and the door it came through. */
export type Caller = Pick<RequestContext, "requestId" | "note"> & {
  /** The name of the API key: it owns what the request makes (I8). */
  readonly owner: string;
  readonly door: Door;
};

type Handler<C> = (req: Request, res: Response, caller: C) => Promise<void> | void;

/** `path` is relative to the door's base path. */
type RouteAt = { readonly method: "get" | "post" | "delete"; readonly path: string };

export type Route =
  | (RouteAt & {
      readonly access: "key";
      readonly handle: Handler<Caller>;
      /** Reads the body of a POST; default: JSON up to `MAX_BODY_BYTES`. */
      readonly bodyParser?: (config: ApiConfig) => RequestHandler;
    })
  /** Served without a key: health and nothing else. */
  | (RouteAt & { readonly access: "public"; readonly handle: Handler<null> })
  /** Served without a key, and tells more to a caller with one. A key that is not known is refused all the same. */
  | (RouteAt & { readonly method: "get"; readonly access: "optional_key"; readonly handle: Handler<Caller | null> });
