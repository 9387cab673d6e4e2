/** GET /ui-messages/{agent_id}/{chat_id}/stream: the message that the assistant is writing, from its beginning. */
import type { Route } from "../../../http/door.ts";
import { READ_ERRORS } from "../../../http/route-errors.ts";
import { AgentIdSchema, streamChat } from "../../../http/session-chat.ts";
import { EVENT_STREAM } from "../../../http/stream-format.ts";
import { takeStream } from "../../../http/take-stream.ts";
import { sessionIdOf } from "../../../jobs/find-session.ts";
import { findUnended } from "../../../jobs/session-jobs.ts";
import type { Services } from "../../../services.ts";
import { validate } from "../../../validation/validate.ts";
import { ChatIdSchema } from "../chat-request.ts";
import { UiEventSchema } from "../chunks.ts";
import { uiStream } from "../stream.ts";

export const getChatStream = (services: Services): Route => ({
  method: "get",
  path: "/:agent_id/:chat_id/stream",
  access: "key",
  operation: {
    id: "resumeUiMessage",
    tag: "AI SDK UI",
    summary: "Resume a chat's stream",
    description: "What the chat's job has said so far comes again, from any API process.",
    params: { agent_id: AgentIdSchema, chat_id: ChatIdSchema },
    responses: {
      200: {
        description: "A UI message stream, version 1.",
        content: { [EVENT_STREAM]: UiEventSchema },
        headers: ["X-Job-Id", "X-Session-Id"],
      },
      204: { description: "The chat has no job that runs or waits." },
    },
    errors: [...READ_ERRORS, "open_streams_limit"],
  },
  async handle(req, res, caller) {
    const { owner } = caller;
    const chatId = validate(ChatIdSchema, req.params.chat_id, ["chat_id"]);
    takeStream(res, services.streamShare, owner);
    const sessionId = await sessionIdOf(services, owner, chatId);
    const jobId = await findUnended(services, owner, sessionId);
    if (jobId === null) return void res.status(204).end();
    const message = { jobId, sessionId, messageId: jobId, isNew: false, seen: new Set<string>() };
    await streamChat(res, services, caller, message, (known) => uiStream({ ...message, ...known }));
  },
});
