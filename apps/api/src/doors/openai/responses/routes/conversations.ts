/** POST /v1/conversations, GET and DELETE /v1/conversations/{id}, GET …/items: sessions, as OpenAI names them. */

import { idTime } from "@agent-paas/shared/ids.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import { z } from "zod";
import { abortOnClose } from "../../../../http/abort-on-close.ts";
import type { Route } from "../../../../http/door.ts";
import { asJson, jsonResponse } from "../../../../http/operation.ts";
import { READ_ERRORS } from "../../../../http/route-errors.ts";
import { deleteOwnSession } from "../../../../jobs/delete-session.ts";
import type { Services } from "../../../../services.ts";
import { bodySchema, validate } from "../../../../validation/validate.ts";
import { findConversation } from "../conversation.ts";
import { newConversationId, readConversationId } from "../ids.ts";
import { ItemListSchema, ItemsQuerySchema } from "../lists.ts";
import { secondsOf } from "../response.ts";
import { itemsOfSession } from "../session-items.ts";

/** How long a DELETE waits for the worker that carries it out. */
const DELETE_WAIT_MS = 10 * SECOND;

const PARAMS = { conversation_id: z.string().describe("The id of a conversation.") };

const ConversationSchema = z
  .object({
    id: z.string(),
    object: z.literal("conversation"),
    created_at: z.int(),
    metadata: z.object({}).describe("Empty: metadata is kept with responses."),
  })
  .meta({ id: "OpenAIConversation" });

const NewConversationSchema = bodySchema({
  items: z.array(z.never("is not supported: send them with the first response")).optional(),
  metadata: z.strictObject({}, "is not supported: send it with responses").optional(),
}).meta({ examples: [{}] });

const viewOf = (id: string, uuid: string): z.infer<typeof ConversationSchema> => ({
  id,
  object: "conversation",
  created_at: secondsOf(idTime(uuid)),
  metadata: {},
});

const find = (services: Services, owner: string, { conversation_id }: Record<string, unknown>) =>
  findConversation(services, owner, String(conversation_id), "conversation_id");

export const postConversations = (_services: Services): Route => ({
  method: "post",
  path: "/conversations",
  access: "key",
  operation: {
    id: "createConversation",
    tag: "OpenAI",
    summary: "Begin a conversation",
    description: "It is stored with its first response. Until then its id is all there is, and that for a day.",
    body: asJson(NewConversationSchema),
    responses: { 200: jsonResponse("The conversation.", ConversationSchema) },
  },
  handle(req, res, { owner }) {
    validate(NewConversationSchema, req.body ?? {});
    const id = newConversationId(owner);
    res.json(viewOf(id, readConversationId(owner, id)?.uuid ?? ""));
  },
});

export const getConversation = (services: Services): Route => ({
  method: "get",
  path: "/conversations/:conversation_id",
  access: "key",
  operation: {
    id: "retrieveConversation",
    tag: "OpenAI",
    summary: "Get a conversation",
    params: PARAMS,
    responses: { 200: jsonResponse("The conversation.", ConversationSchema) },
    errors: [...READ_ERRORS, "session_not_found"],
  },
  async handle(req, res, { owner }) {
    const { id, uuid } = await find(services, owner, req.params);
    res.json(viewOf(id, uuid));
  },
});

export const getConversationItems = (services: Services): Route => ({
  method: "get",
  path: "/conversations/:conversation_id/items",
  access: "key",
  operation: {
    id: "listConversationItems",
    tag: "OpenAI",
    summary: "List the items of a conversation",
    params: PARAMS,
    query: ItemsQuerySchema,
    responses: { 200: jsonResponse("A page of items.", ItemListSchema) },
    errors: [...READ_ERRORS, "session_not_found"],
  },
  async handle(req, res, { owner }) {
    const query = validate(ItemsQuerySchema, req.query);
    const { sessionId } = await find(services, owner, req.params);
    res.json(await itemsOfSession(services, owner, sessionId, query));
  },
});

const DeletedSchema = z.object({ id: z.string(), object: z.literal("conversation.deleted"), deleted: z.literal(true) });

export const deleteConversation = (services: Services): Route => ({
  method: "delete",
  path: "/conversations/:conversation_id",
  access: "key",
  operation: {
    id: "deleteConversation",
    tag: "OpenAI",
    summary: "Delete a conversation",
    description: "With its messages and responses. Refused while one of these has not ended.",
    params: PARAMS,
    responses: {
      200: jsonResponse("The conversation is deleted, or will be as soon as a worker can.", DeletedSchema),
    },
    errors: [...READ_ERRORS, "session_not_found", "session_busy"],
  },
  async handle(req, res, { owner }) {
    const { id, sessionId } = await find(services, owner, req.params);
    await deleteOwnSession(services, owner, sessionId, { withinMs: DELETE_WAIT_MS, signal: abortOnClose(res) });
    res.json({ id, object: "conversation.deleted", deleted: true });
  },
});
