/** GET /sessions, GET, PATCH and DELETE /sessions/{id}. */
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { IdSchema } from "@agent-paas/shared/ids.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import { z } from "zod";
import { abortOnClose } from "../../../http/abort-on-close.ts";
import type { Route } from "../../../http/door.ts";
import { asJson, jsonResponse } from "../../../http/operation.ts";
import { READ_ERRORS } from "../../../http/route-errors.ts";
import { takeStream } from "../../../http/take-stream.ts";
import { deleteSessionWithin } from "../../../jobs/delete-session.ts";
import { findSession, sessionOfRow } from "../../../jobs/find-session.ts";
import { renameSessionWithin } from "../../../jobs/rename-session.ts";
import type { Services } from "../../../services.ts";
import { bodySchema, pageQuery, pathId, validate } from "../../../validation/validate.ts";
import { NextPageSchema } from "../response-fields.ts";

/** How long a PATCH or DELETE waits for the worker that carries it out. */
const WORKER_WAIT_MS = 10 * SECOND;

const SearchSchema = z
  .string()
  .min(1)
  .max(200)
  .refine((text) => text.trim() !== "", "must not be empty")
  .transform((text) => text.toWellFormed());

const SessionsQuerySchema = pageQuery(200, 50).extend({
  search: SearchSchema.optional().describe(
    "Only sessions whose title or messages contain this text, ASCII in any case.",
  ),
});

const SessionSchema = z
  .object({
    id: IdSchema,
    agent_type: z.string(),
    config: z.record(z.string(), z.unknown()).describe("What later messages of the session inherit."),
    metadata: z.record(z.string(), z.unknown()),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
    title: z.string().nullable().describe("The beginning of its first message, until it is renamed; null before."),
  })
  .meta({ id: "Session" });

const SessionPageSchema = z.object({
  sessions: z.array(
    SessionSchema.extend({
      match: z
        .string()
        .nullable()
        .optional()
        .describe("With `search`: the text around the newest message that contains it; null if the title does."),
    }).meta({ id: "ListedSession" }),
  ),
  next: NextPageSchema,
  complete: z
    .boolean()
    .optional()
    .describe(
      "With `search`. False: the page has ended before all was looked through, and `next` goes on; or a session has" +
        " more messages than the newest 2,000.",
    ),
});

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
    errors: [...READ_ERRORS, "open_streams_limit"],
  },
  async handle(req, res, { owner }) {
    const { limit, before, search } = validate(SessionsQuerySchema, req.query);
    if (before !== undefined && (await services.sessions.find(owner, before)) === undefined) {
      // It was deleted, and its place with it. An empty page would pass for the end of the list.
      throw new PlatformError("invalid_request", { message: "before: there is no such session", param: "before" });
    }
    if (search !== undefined) {
      takeStream(res, services.streamShare, owner);
      const options = { limit, before, signal: abortOnClose(res) };
      const { matches, next, isComplete } = await services.searchSessions(owner, search, options);
      const sessions = matches.map(({ row, match }) => ({ ...sessionOfRow(row), match }));
      res.json({ sessions, next, complete: isComplete });
      return;
    }
    const rows = await services.sessions.list(owner, { limit, before });
    const sessions = rows.map(sessionOfRow);
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

const TitleSchema = z
  .string()
  .min(1)
  .max(200)
  .refine((title) => title.trim() !== "", "must not be empty")
  .refine((title) => !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(title), "must be one line")
  .transform((title) => title.toWellFormed());

const RenameSchema = bodySchema({ title: TitleSchema }).meta({ examples: [{ title: "Tea in spring" }] });

/** 200 once renamed; 202 if a worker has yet to do it. */
export const patchSession = (services: Services): Route => ({
  method: "patch",
  path: "/sessions/:id",
  access: "key",
  operation: {
    id: "renameSession",
    tag: "Sessions",
    summary: "Rename a session",
    params: { id: IdSchema },
    body: asJson(RenameSchema),
    responses: {
      200: jsonResponse("The session.", SessionSchema),
      202: jsonResponse("The session as it is; its new title waits for a worker.", SessionSchema),
    },
    errors: [...READ_ERRORS, "session_not_found"],
  },
  async handle(req, res, { owner }) {
    const id = pathId(req.params);
    const { title } = validate(RenameSchema, req.body);
    const wait = { withinMs: WORKER_WAIT_MS, signal: abortOnClose(res) };
    const { session, isRenamed } = await renameSessionWithin(services, owner, id, title, wait);
    res.status(isRenamed ? 200 : 202).json(session);
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
    const wait = { withinMs: WORKER_WAIT_MS, signal: abortOnClose(res) };
    if (await deleteSessionWithin(services, owner, id, wait)) res.status(204).end();
    else res.status(202).json({ session_id: id, status: "deleting" });
  },
});
