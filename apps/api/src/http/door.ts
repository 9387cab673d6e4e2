/**
 * A door is one client protocol: routes and error format over the same jobs; a route that streams has its format. Doors
 * and routes are values: the app mounts them, and tests read the same lists.
 */
import type { ErrorCode } from "@agent-paas/shared/errors/codes.ts";
import type { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type { Request, RequestHandler, Response } from "express";
import type { ZodType } from "zod";
import type { ApiConfig } from "../config.ts";
import type { Services } from "../services.ts";
import type { Operation } from "./operation.ts";
import type { RequestContext } from "./request-context.ts";

export type Door = {
  /** Of each tag of its operations, what they are about. */
  readonly tags: Readonly<Record<string, string>>;
  /** What the paths of its routes begin with, without a slash at the end. */
  readonly basePath: string;
  /** Must not use the services before a request comes: tests call it without any. */
  readonly routes: (services: Services) => readonly Route[];
  readonly formatError: FormatError;
  /** Headers of error responses beyond those of all doors. */
  readonly errorHeaders?: (error: PlatformError, req: Request) => Readonly<Record<string, string>>;
  /** The schema of an error response with one of the codes. */
  readonly errorSchema: (codes: readonly ErrorCode[]) => ZodType;
};

/** The JSON body of an error response. */
export type FormatError = (error: PlatformError, requestId: string) => object;

/** The client behind a request, and the door it came through. */
export type Caller = Pick<RequestContext, "requestId" | "note"> & {
  /** The name of the API key: it owns what the request makes (I8). */
  readonly owner: string;
  readonly door: Door;
};

/** Whether requests to the route have a body. */
export const hasBody = ({ method }: Pick<RouteAt, "method">): boolean => method === "post" || method === "patch";

type Handler<C> = (req: Request, res: Response, caller: C) => Promise<void> | void;

/** `path` is relative to the door's base path. */
type RouteAt = {
  readonly method: "get" | "post" | "patch" | "delete";
  readonly path: string;
  readonly operation: Operation;
};

/** A route as the app serves it. */
export type MountedRoute = {
  readonly door: Door;
  readonly route: Route;
  /** With the door's base path. */
  readonly path: string;
};

export const mountedRoutes = (doors: readonly Door[], services: Services): readonly MountedRoute[] =>
  doors.flatMap((door) => door.routes(services).map((route) => ({ door, route, path: door.basePath + route.path })));

export type Route =
  | (RouteAt & {
      readonly access: "key";
      readonly handle: Handler<Caller>;
      /** Reads the body of a POST or PATCH; default: JSON up to `MAX_BODY_BYTES`. */
      readonly bodyParser?: (config: ApiConfig) => RequestHandler;
    })
  /** Served without a key: what tells nothing of anybody. */
  | (RouteAt & { readonly access: "public"; readonly handle: Handler<null> })
  /** Served without a key, and tells more to a caller with one. A key that is not known is refused all the same. */
  | (RouteAt & { readonly method: "get"; readonly access: "optional_key"; readonly handle: Handler<Caller | null> });
