/** GET /chat/history: the messages of a session, oldest first, paged from the newest backwards. */

import { IdSchema } from "@agent-paas/shared/ids.ts";
import { parseJson } from "@agent-paas/shared/json/exact-json.ts";
import { z } from "zod";
import type { Route } from "../../../http/door.ts";
import { findSession } from "../../../jobs/find-session.ts";
import { withinParts } from "../../../jobs/message-parts.ts";
import type { Services } from "../../../services.ts";
import { pageQuery, validate } from "../../../validation/validate.ts";

const HistoryQuerySchema = pageQuery(500, 50).extend({
  session_id: IdSchema,
  include: z.literal("tools").optional(),
});

export const getChatHistory = (services: Services): Route => ({
  method: "get",
  path: "/chat/history",
  access: "key",
  async handle(req, res, { owner }) {
    const { session_id, limit, before, include } = validate(HistoryQuerySchema, req.query);
    await findSession(services, owner, session_id);
    const found = await services.sessions.messages(owner, session_id, { limit, before, tools: include === "tools" });
    const { messages: rows, partsOf } = await withinParts(services.sessions, found);
    const messages = rows.map(({ id, role, content, tokens_used, created_at, metadata, job_id }) => ({
      id,
      role,
      content,
      ...(role === "user" && partsOf.has(job_id) ? { parts: partsOf.get(job_id) } : {}),
      tokens_used,
      created_at,
      metadata: parseJson(metadata),
      job_id,
    }));
    // The first message of a session has ordinal 1, so no page comes before it.
    const oldest = rows[0];
    res.json({ session_id, messages, next: oldest !== undefined && oldest.ordinal > 1 ? oldest.id : null });
  },
});
