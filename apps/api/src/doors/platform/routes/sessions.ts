/** GET /sessions, GET and DELETE /sessions/{id}. */
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { IdSchema } from "@agent-paas/shared/ids.ts";
import { parseObject } from "@agent-paas/shared/json/exact-json.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import { z } from "zod";
import { abortOnClose } from "../../../http/abort-on-close.ts";
import type { Route } from "../../../http/door.ts";
import { jsonResponse } from "../../../http/operation.ts";
import { READ_ERRORS } from "../../../http/route-errors.ts";
import { deleteSessionWithin } from "../../../jobs/delete-session.ts";
import { findSession } from "../../../jobs/find-session.ts";
import type { Services } from "../../../services.ts";
import { pageQuery, pathId, validate } from "../../../validation/validate.ts";
import { NextPageSchema } from "../response-fields.ts";

/** How long a DELETE waits for the worker that carries it out. */
const DELETE_WAIT_MS = 10 * SECOND;

const SessionsQuerySchema = pageQuery(200, 50);

const SessionSchema = z
  .object({
    id: IdSchema,
    agent_type: z.string(),
    config: z.record(z.string(), z.unknown()).describe("What later messages of the session inherit."),
    metadata: z.record(z.string(), z.unknown()),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .meta({ id: "Session" });

const SessionPageSchema = z.object({ sessions: z.array(SessionSchema), next: NextPageSchema });

const DeletingSchema = z.object({ session_id: IdSchema, status: z.literal("deleting") });

export const listSessions = (services: Services): Route => ({
  method: "get",
  path: "/sessions",
  access: "key",
  operation: {
    id: "listSessions",
    tag: "Sessions",
    summary: "List sessions, newest first",
    query: SessionsQuerySchema,
    responses: { 200: jsonResponse("A page of sessions.", SessionPageSchema) },
    errors: READ_ERRORS,
  },
  async handle(req, res, { owner }) {
    const { limit, before } = validate(SessionsQuerySchema, req.query);
    if (before !== undefined && (await services.sessions.find(owner, before)) === undefined) {
      // It was deleted, and its place with it. An empty page would pass for the end of the list.
      throw new PlatformError("invalid_request", { message: "before: there is no such session", param: "before" });
    }
    const rows = await services.sessions.list(owner, { limit, before });
    const sessions: z.infer<typeof SessionSchema>[] = rows.map(
      ({ id, agent_type, config, metadata, created_at, updated_at }) => ({
        id,
        agent_type,
        config: parseObject(config),
        metadata: parseObject(metadata),
        created_at,
        updated_at,
      }),
    );
    res.json({ sessions, next: rows.length === limit ? (rows.at(-1)?.id ?? null) : null });
  },
});

export const getSession = (services: Services): Route => ({
  method: "get",
  path: "/sessions/:id",
  access: "key",
  operation: {
    id: "getSession",
    tag: "Sessions",
    summary: "Get a session",
    params: { id: IdSchema },
    responses: { 200: jsonResponse("The session.", SessionSchema) },
    errors: [...READ_ERRORS, "session_not_found"],
  },
  async handle(req, res, { owner }) {
    res.json(await findSession(services, owner, pathId(req.params)));
  },
});

/** 204 once deleted; 202 if the deletion is still pending. Refused while a job of the session has not ended. */
export const deleteSession = (services: Services): Route => ({
  method: "delete",
  path: "/sessions/:id",
  access: "key",
  operation: {
    id: "deleteSession",
    tag: "Sessions",
    summary: "Delete a session with its messages and jobs",
    params: { id: IdSchema },
    responses: {
      204: { description: "The session is deleted." },
      202: jsonResponse("The deletion waits for a worker.", DeletingSchema),
    },
    errors: [...READ_ERRORS, "session_not_found", "session_busy"],
  },
  async handle(req, res, { owner }) {
    const id = pathId(req.params);
    const wait = { withinMs: DELETE_WAIT_MS, signal: abortOnClose(res) };
    if (await deleteSessionWithin(services, owner, id, wait)) res.status(204).end();
    else res.status(202).json({ session_id: id, status: "deleting" });
  },
});
