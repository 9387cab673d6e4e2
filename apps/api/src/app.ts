/** The HTTP application: mounts the routes of all doors. */
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import cors from "cors";
import express, { type Express, type RequestHandler } from "express";
import { createAgUiDoor } from "./doors/ag-ui/index.ts";
import { createMcpDoor } from "./doors/mcp/index.ts";
import { openAiDoor } from "./doors/openai/index.ts";
import { platformDoor } from "./doors/platform/index.ts";
import { jobLinks } from "./doors/platform/job-view.ts";
import { createPlaygroundDoor } from "./doors/playground/index.ts";
import { createReferenceDoor } from "./doors/reference/index.ts";
import { createUiMessagesDoor } from "./doors/ui-messages/index.ts";
import { carriesKey, createAuthenticate } from "./http/authenticate.ts";
import { measuredJson } from "./http/body-size.ts";
import { type Door, hasBody, type MountedRoute, mountedRoutes } from "./http/door.ts";
import { createErrorHandler } from "./http/error-handler.ts";
import { contextOf, requestContext } from "./http/request-context.ts";
import { securityHeaders } from "./http/security-headers.ts";
import type { Services } from "./services.ts";

const PROTOCOLS: readonly Door[] = [
  platformDoor,
  openAiDoor,
  createUiMessagesDoor(platformDoor),
  createAgUiDoor(platformDoor),
  createMcpDoor((id) => jobLinks(id).self),
];

const PUBLIC_PAGES: readonly Door[] = [createPlaygroundDoor(platformDoor)];

/** Those of the pages and of the reference have no base path of their own. */
export const DOORS: readonly Door[] = [
  ...PROTOCOLS,
  ...PUBLIC_PAGES,
  createReferenceDoor(platformDoor, [...PROTOCOLS, ...PUBLIC_PAGES]),
];

/** Every route of every door. */
export const createRoutes = (services: Services): readonly MountedRoute[] => mountedRoutes(DOORS, services);

export function createApp(services: Services, logger: Logger): Express {
  const { config } = services;
  const authenticate = createAuthenticate(config.API_KEYS);
  const parseBody = measuredJson(config.MAX_BODY_BYTES);
  const app = express();
  app.disable("etag");
  app.set("trust proxy", config.TRUSTED_PROXIES);
  app.disable("x-powered-by");
  app.use(requestContext(logger), securityHeaders());
  if (config.CORS_ORIGINS.length > 0) app.use(allowOrigins(config.CORS_ORIGINS));

  const requireKey: RequestHandler = (req, res, next) => {
    res.locals.owner = authenticate(req);
    next();
  };
  const routes = createRoutes(services);
  for (const { door, route, path } of routes) {
    if (route.access === "public") {
      app[route.method](path, (req, res) => route.handle(req, res, null));
      continue;
    }
    if (route.access === "optional_key") {
      app.get(path, (req, res) => {
        const caller = carriesKey(req) ? { owner: authenticate(req), door, ...contextOf(res) } : null;
        return route.handle(req, res, caller);
      });
      continue;
    }
    const handle: RequestHandler = (req, res) =>
      route.handle(req, res, { owner: res.locals.owner as string, door, ...contextOf(res) });
    if (hasBody(route)) app[route.method](path, requireKey, route.bodyParser?.(config) ?? parseBody, handle);
    else app[route.method](path, requireKey, handle);
  }

  for (const [path, mounted] of Map.groupBy(routes, (one) => one.path)) {
    const allowed = mounted.map(({ route }) => route.method.toUpperCase());
    app.all(path, (_req, res) => {
      res.setHeader("Allow", allowed.join(", "));
      throw new PlatformError("method_not_allowed");
    });
  }
  app.use(() => {
    throw new PlatformError("route_not_found");
  });
  app.use(createErrorHandler(DOORS, platformDoor, logger));
  return app;
}

/** Lets web pages of these origins call, and read the headers by which a broken stream is resumed. */
const allowOrigins = (origins: readonly string[]): RequestHandler =>
  cors({
    origin: origins.includes("*") ? "*" : [...origins],
    exposedHeaders: ["Location", "Mcp-Session-Id", "Retry-After", "X-Job-Id", "X-Request-Id", "X-Session-Id"],
    maxAge: 600,
  });
