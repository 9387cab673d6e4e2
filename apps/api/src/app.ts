/** The HTTP application: a table of contents of its routes. */
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import cors from "cors";
import express, { type Express, type RequestHandler } from "express";
import helmet from "helmet";
import { getAgent, listAgents } from "./doors/platform/routes/agents.ts";
import { postChatCompletions } from "./doors/platform/routes/chat-completions.ts";
import { getChatHistory } from "./doors/platform/routes/chat-history.ts";
import { postExecute } from "./doors/platform/routes/execute.ts";
import { getHealth, getLivez, getReadyz } from "./doors/platform/routes/health.ts";
import { postJobCancel } from "./doors/platform/routes/job-cancel.ts";
import { getJobEvents } from "./doors/platform/routes/job-events.ts";
import { getJob, listJobs } from "./doors/platform/routes/jobs.ts";
import { deleteCollection, getCollection, listCollections } from "./doors/platform/routes/knowledge-collections.ts";
import {
  deleteDocument,
  getDocument,
  listDocuments,
  postDocument,
} from "./doors/platform/routes/knowledge-documents.ts";
import { postKnowledgeQuery } from "./doors/platform/routes/knowledge-query.ts";
import { deleteSession, getSession, listSessions } from "./doors/platform/routes/sessions.ts";
import { createAuthenticate } from "./http/authenticate.ts";
import { errorHandler } from "./http/error-handler.ts";
import { contextOf, requestContext } from "./http/request-context.ts";
import type { Route } from "./http/route.ts";
import type { Services } from "./services.ts";

export const API_PREFIX = "/api/v1";

export const createRoutes = (services: Services): readonly Route[] => [
  postChatCompletions(services),
  getChatHistory(services),
  listSessions(services),
  getSession(services),
  deleteSession(services),
  listAgents(services),
  getAgent(services),
  postExecute(services),
  listJobs(services),
  getJob(services),
  getJobEvents(services),
  postJobCancel(services),
  listCollections(services),
  getCollection(services),
  deleteCollection(services),
  postDocument(services),
  listDocuments(services),
  getDocument(services),
  deleteDocument(services),
  postKnowledgeQuery(services),
  getHealth(services),
  getLivez(),
  getReadyz(services),
];

export function createApp(services: Services, logger: Logger): Express {
  const { config } = services;
  const authenticate = createAuthenticate(config.API_KEYS);
  // Whatever the client says the body is: curl and forms that forget the header still send JSON or get a clear error.
  const parseBody = express.json({ limit: config.MAX_BODY_BYTES, type: () => true });
  const app = express();
  app.disable("etag");
  app.set("trust proxy", config.TRUSTED_PROXIES);
  app.use(requestContext(logger), helmet());
  if (config.CORS_ORIGINS.length > 0) app.use(allowOrigins(config.CORS_ORIGINS));

  const routes = createRoutes(services);
  for (const route of routes) {
    const path = API_PREFIX + route.path;
    if (route.access === "public") {
      app[route.method](path, (req, res) => route.handle(req, res, null));
      continue;
    }
    const requireKey: RequestHandler = (req, res, next) => {
      res.locals.owner = authenticate(req);
      next();
    };
    const handle: RequestHandler = (req, res) =>
      route.handle(req, res, { owner: res.locals.owner as string, ...contextOf(res) });
    if (route.method === "post") app.post(path, requireKey, route.bodyParser?.(config) ?? parseBody, handle);
    else app[route.method](path, requireKey, handle);
  }

  for (const path of new Set(routes.map((route) => route.path))) {
    const allowed = routes.filter((route) => route.path === path).map(({ method }) => method.toUpperCase());
    app.all(API_PREFIX + path, (_req, res) => {
      res.setHeader("Allow", allowed.join(", "));
      throw new PlatformError("method_not_allowed");
    });
  }
  app.use(() => {
    throw new PlatformError("route_not_found");
  });
  app.use(errorHandler);
  return app;
}

/** Lets web pages of these origins call, and read the headers by which a broken stream is resumed. */
const allowOrigins = (origins: readonly string[]): RequestHandler =>
  cors({
    origin: origins.includes("*") ? "*" : [...origins],
    exposedHeaders: ["Location", "Retry-After", "X-Job-Id", "X-Request-Id", "X-Session-Id"],
    maxAge: 600,
  });
