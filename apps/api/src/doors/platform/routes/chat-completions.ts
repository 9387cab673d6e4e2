/** POST /chat/completions: a chat message. Its events stream as SSE, or `stream: false` returns the result as JSON. */

import { FinishReasonSchema, JobResultSchema, UsageSchema } from "@agent-paas/shared/contract/jobs.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { IdSchema } from "@agent-paas/shared/ids.ts";
import type { Response } from "express";
import { z } from "zod";
import { awaitAccepted, streamAccepted } from "../../../http/answer-job.ts";
import { limitBody, measuredJson } from "../../../http/body-size.ts";
import type { Caller, Route } from "../../../http/door.ts";
import { sendError } from "../../../http/error-handler.ts";
import { JOB_REQUEST_HEADERS } from "../../../http/headers.ts";
import { originOf, readIdempotency } from "../../../http/job-headers.ts";
import { asJson, jsonResponse } from "../../../http/operation.ts";
import { ACCEPT_ERRORS, AGENT_ERRORS, JOB_ERRORS } from "../../../http/route-errors.ts";
import { EVENT_STREAM } from "../../../http/stream-format.ts";
import { takeStream } from "../../../http/take-stream.ts";
import { acceptJob } from "../../../jobs/accept-job.ts";
import { findJobStatus } from "../../../jobs/find-job.ts";
import { jobError } from "../../../jobs/job-error.ts";
import { findReplacedTurn, NOTHING_REPLACED } from "../../../jobs/replaced-turn.ts";
import type { Accepted } from "../../../queue/accept-request.ts";
import type { Services } from "../../../services.ts";
import { ToolChoiceSchema, ToolResultsSchema, ToolsSchema } from "../../../validation/client-tools.ts";
import { JOB_FIELDS } from "../../../validation/job-fields.ts";
import { bodySchema, validate } from "../../../validation/validate.ts";
import { JOB_ID, SESSION_ID, USAGE } from "../examples.ts";
import { AcceptedAgentJobSchema, JobStatusSchema, jobLinks, viewOfRow } from "../job-view.ts";
import {
  AgentIdSchema,
  IfNotExistsSchema,
  MessageSchema,
  OnBusySchema,
  ReplaceFromSchema,
  readMessage,
} from "../request-fields.ts";
import { StreamEventSchema, stream } from "../stream-format.ts";

const chatRequest = (message: z.ZodType) =>
  bodySchema({
    agent_type: AgentIdSchema,
    session_id: IdSchema.optional(),
    if_not_exists: IfNotExistsSchema,
    message,
    replace_from: ReplaceFromSchema,
    tools: ToolsSchema,
    tool_choice: ToolChoiceSchema,
    tool_results: ToolResultsSchema,
    ...JOB_FIELDS,
    stream: z.boolean().default(true),
    on_busy: OnBusySchema,
  });

const ChatRequestSchema = chatRequest(z.unknown().optional());

const CHAT_REQUEST = { agent_type: "chat_basic", message: "Hello" };

const CHAT_ANSWER = {
  session_id: SESSION_ID,
  job_id: JOB_ID,
  status: "completed",
  message: { role: "assistant", content: "Hello! How can I help?" },
  usage: USAGE,
  finish_reason: "stop",
};

const ChatAnswerSchema = JobResultSchema.pick({ citations: true, tool_calls: true })
  .extend({
    session_id: IdSchema.nullable(),
    job_id: IdSchema,
    status: JobStatusSchema,
    message: z.object({ role: z.literal("assistant"), content: z.string() }),
    usage: UsageSchema.nullable(),
    finish_reason: FinishReasonSchema.nullable(),
  })
  .meta({ id: "ChatAnswer", examples: [CHAT_ANSWER] });

const CHAT_HEADERS = ["X-Job-Id", "X-Session-Id", "Location"] as const;

export const postChatCompletions = (services: Services): Route => ({
  method: "post",
  path: "/chat/completions",
  access: "key",
  bodyParser: ({ MAX_BODY_BYTES, MAX_PARTS_BYTES }) => measuredJson(MAX_BODY_BYTES + MAX_PARTS_BYTES, MAX_BODY_BYTES),
  operation: {
    id: "createChat",
    tag: "Chat",
    summary: "Send a message",
    description:
      "Begins a session, or adds to one. The answer streams as Server-Sent Events; with `stream: false` it comes whole." +
      " A client that goes away cancels nothing: the job goes on, and `GET /jobs/{id}/events` resumes its stream.",
    headers: JOB_REQUEST_HEADERS,
    body: asJson(chatRequest(MessageSchema.optional()).meta({ examples: [CHAT_REQUEST] })),
    responses: {
      200: {
        description: "The events of the job; with `stream: false`, the whole answer.",
        content: { [EVENT_STREAM]: StreamEventSchema, ...asJson(ChatAnswerSchema) },
        headers: CHAT_HEADERS,
      },
      202: jsonResponse(
        "The answer takes longer than the request may; the job goes on.",
        AcceptedAgentJobSchema,
        ...CHAT_HEADERS,
      ),
    },
    errors: [...ACCEPT_ERRORS, ...AGENT_ERRORS, "open_streams_limit", ...JOB_ERRORS],
  },
  async handle(req, res, caller) {
    // Parts have a limit of their own, a text has not.
    limitBody(req, services.config.MAX_BODY_BYTES, Array.isArray(req.body?.message) ? "message" : null);
    const body = validate(ChatRequestSchema, req.body);
    assertReplaces(body);
    const replaced =
      body.replace_from === undefined
        ? NOTHING_REPLACED
        : await findReplacedTurn(services, caller.owner, body.session_id, body.replace_from);
    const isAsking = body.message !== undefined || (body.tool_results === undefined && body.replace_from === undefined);
    const { text, parts } = isAsking ? readMessage(body.message, services.config, "message") : replaced;
    takeStream(res, services.streamShare, caller.owner);
    const origin = { ...originOf(req, caller, text), idempotency: readIdempotency(req) };
    const accepted = await acceptJob(services, origin, {
      kind: "chat",
      agentType: body.agent_type,
      sessionId: body.session_id ?? null,
      createsSession: body.if_not_exists === "create",
      beginsSession: true,
      text,
      parts,
      tools: body.tools,
      toolChoice: body.tool_choice,
      toolResults: body.tool_results,
      replaces: replaced.replaces,
      refusal: replaced.refusal,
      config: body.config,
      limits: body.limits,
      metadata: body.metadata,
      onBusy: body.on_busy,
    });
    if (body.stream) {
      streamAccepted(res, services, stream, caller.owner, accepted);
    } else {
      await sendWhole(services, res, caller, accepted);
    }
  },
});

/** What the results of the client answer may be among what is replaced. */
function assertReplaces(body: {
  readonly replace_from?: unknown;
  readonly tool_results?: readonly unknown[] | undefined;
}): void {
  if (body.replace_from === undefined || body.tool_results === undefined) return;
  const message = "tool_results: cannot be sent beside replace_from";
  throw new PlatformError("invalid_request", { message, param: "tool_results" });
}

async function sendWhole(
  services: Services,
  res: Response,
  { owner, door }: Caller,
  { jobId, sessionId }: Accepted,
): Promise<void> {
  const row = await awaitAccepted(res, services, owner, jobId);
  res.setHeader("X-Job-Id", jobId);
  if (sessionId !== null) res.setHeader("X-Session-Id", sessionId);
  if (row === null) {
    // The job goes on; the client can poll or stream it.
    const status = await findJobStatus(services, owner, jobId);
    const links = jobLinks(jobId);
    res.status(202).setHeader("Location", links.self);
    res.json({ session_id: sessionId, job_id: jobId, status, links });
    return;
  }
  const { status, result, error, usage } = viewOfRow(row, null);
  if (error !== null) {
    sendError(res, jobError(error.code, error.message, { session_id: sessionId, job_id: jobId }), door);
    return;
  }
  const message = { role: "assistant", content: result?.content ?? "" };
  const cited = result?.citations === undefined ? {} : { citations: result.citations };
  const called = result?.tool_calls === undefined ? {} : { tool_calls: result.tool_calls };
  const { finish_reason = null } = result ?? {};
  res.json({ session_id: sessionId, job_id: jobId, status, message, usage, finish_reason, ...cited, ...called });
}
