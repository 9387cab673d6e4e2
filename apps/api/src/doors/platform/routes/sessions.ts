/** GET /sessions, GET and DELETE /sessions/{id}. */
import { parseJson } from "@agent-paas/shared/json/exact-json.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import { abortOnClose } from "../../../http/abort-on-close.ts";
import type { Route } from "../../../http/door.ts";
import { deleteSessionWithin } from "../../../jobs/delete-session.ts";
import { findSession } from "../../../jobs/find-session.ts";
import type { Services } from "../../../services.ts";
import { pageQuery, pathId, validate } from "../../../validation/validate.ts";

/** How long a DELETE waits for the worker that carries it out. */
const DELETE_WAIT_MS = 10 * SECOND;

export const listSessions = (services: Services): Route => ({
  method: "get",
  path: "/sessions",
  access: "key",
  async handle(req, res, { owner }) {
    const { limit, before } = validate(pageQuery(200, 50), req.query);
    const rows = await services.sessions.list(owner, { limit, before });
    const sessions = rows.map(({ id, agent_type, config, metadata, created_at, updated_at }) => ({
      id,
      agent_type,
      config: parseJson(config),
      metadata: parseJson(metadata),
      created_at,
      updated_at,
    }));
    res.json({ sessions, next: rows.length === limit ? (rows.at(-1)?.id ?? null) : null });
  },
});

export const getSession = (services: Services): Route => ({
  method: "get",
  path: "/sessions/:id",
  access: "key",
  async handle(req, res, { owner }) {
    res.json(await findSession(services, owner, pathId(req.params)));
  },
});

/** 204 once deleted; 202 if the deletion is still pending. Refused while a job of the session has not ended. */
export const deleteSession = (services: Services): Route => ({
  method: "delete",
  path: "/sessions/:id",
  access: "key",
  async handle(req, res, { owner }) {
    const id = pathId(req.params);
    const wait = { withinMs: DELETE_WAIT_MS, signal: abortOnClose(res) };
    if (await deleteSessionWithin(services, owner, id, wait)) res.status(204).end();
    else res.status(202).json({ session_id: id, status: "deleting" });
  },
});
