/** GET /chat/history: the messages of a session, oldest first, paged from the newest backwards. */

import { ClientCallSchema } from "@agent-paas/shared/contract/client-tools.ts";
import { callsOf } from "@agent-paas/shared/db/open-turns.ts";
import { MESSAGE_ROLES } from "@agent-paas/shared/db/rows.ts";
import { IdSchema } from "@agent-paas/shared/ids.ts";
import { parseObject } from "@agent-paas/shared/json/exact-json.ts";
import { z } from "zod";
import type { Route } from "../../../http/door.ts";
import { jsonResponse } from "../../../http/operation.ts";
import { READ_ERRORS } from "../../../http/route-errors.ts";
import { findSession } from "../../../jobs/find-session.ts";
import { withinParts } from "../../../jobs/message-parts.ts";
import type { Services } from "../../../services.ts";
import { PartSchema } from "../../../validation/message-parts.ts";
import { pageQuery, validate } from "../../../validation/validate.ts";
import { NextPageSchema } from "../response-fields.ts";

const HistoryQuerySchema = pageQuery(500, 50).extend({
  session_id: IdSchema,
  include: z.literal("tools").optional(),
});

const MessageSchema = z
  .object({
    id: IdSchema,
    role: z.enum(MESSAGE_ROLES),
    content: z.string(),
    parts: z.array(PartSchema).readonly().optional().describe("Of a message that was sent as parts."),
    tool_calls: z.array(ClientCallSchema).optional().describe("Of an answer that calls tools of the client."),
    tokens_used: z.int(),
    created_at: z.iso.datetime(),
    metadata: z.record(z.string(), z.unknown()),
    job_id: IdSchema,
  })
  .meta({ id: "Message" });

const HistoryPageSchema = z.object({ session_id: IdSchema, messages: z.array(MessageSchema), next: NextPageSchema });

export const getChatHistory = (services: Services): Route => ({
  method: "get",
  path: "/chat/history",
  access: "key",
  operation: {
    id: "getHistory",
    tag: "Chat",
    summary: "Messages of a session, oldest first",
    description: "The newest page comes first; `next` is the `before` of the page before it.",
    query: HistoryQuerySchema,
    responses: { 200: jsonResponse("A page of messages.", HistoryPageSchema) },
    errors: [...READ_ERRORS, "session_not_found"],
  },
  async handle(req, res, { owner }) {
    const { session_id, limit, before, include } = validate(HistoryQuerySchema, req.query);
    await findSession(services, owner, session_id);
    const found = await services.sessions.messages(owner, session_id, { limit, before, tools: include === "tools" });
    const { messages: rows, partsOf } = await withinParts(services.sessions, found);
    const messages: z.infer<typeof MessageSchema>[] = rows.map(
      ({ id, role, content, tokens_used, created_at, metadata, job_id, open_turn }) => ({
        id,
        role,
        content,
        ...(role === "user" && partsOf.has(job_id) ? { parts: partsOf.get(job_id) } : {}),
        // The column is missing until a worker of this version has migrated the database.
        ...(open_turn ? { tool_calls: callsOf(open_turn) } : {}),
        tokens_used,
        created_at,
        metadata: parseObject(metadata),
        job_id,
      }),
    );
    // The first message of a session has ordinal 1, so no page comes before it.
    const oldest = rows[0];
    res.json({ session_id, messages, next: oldest !== undefined && oldest.ordinal > 1 ? oldest.id : null });
  },
});
