/** POST /v1/chat/completions: a job of an agent, as a chat completion. */
import { resultOfRow } from "@agent-paas/shared/db/job-end.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type { Request, Response } from "express";
import { awaitAccepted, streamAccepted } from "../../../http/answer-job.ts";
import { limitBody, measuredJson } from "../../../http/body-size.ts";
import type { Caller, Route } from "../../../http/door.ts";
import { JOB_REQUEST_HEADERS, REQUEST_HEADERS } from "../../../http/headers.ts";
import { originOf, readIdempotency } from "../../../http/job-headers.ts";
import { cancelOnDisconnect, readCancelsOnDisconnect } from "../../../http/leaving-client.ts";
import { asJson } from "../../../http/operation.ts";
import { ACCEPT_ERRORS, AGENT_ERRORS, JOB_ERRORS } from "../../../http/route-errors.ts";
import { EVENT_STREAM } from "../../../http/stream-format.ts";
import { takeStream } from "../../../http/take-stream.ts";
import { acceptJob } from "../../../jobs/accept-job.ts";
import { sessionIdOf } from "../../../jobs/find-session.ts";
import { jobError } from "../../../jobs/job-error.ts";
import type { Accepted } from "../../../queue/accept-request.ts";
import type { Services } from "../../../services.ts";
import { validate } from "../../../validation/validate.ts";
import { agentRequestOf, inRequestTerms } from "../agent-config.ts";
import { ChatCompletionSchema, ChatEventSchema, completionOf, finishReasonOf } from "../chat-completion.ts";
import { fieldsOfResults, readConversation, readTurn } from "../chat-messages.ts";
import { type ChatRequest, ChatRequestSchema } from "../chat-request.ts";
import { chatStream } from "../chat-stream.ts";
import { inFieldsOfFunctions, toolChoiceOf, toolsOf } from "../functions.ts";
import { inFieldsOfResults } from "../tool-results.ts";

export const postChatCompletions = (services: Services): Route => ({
  method: "post",
  path: "/chat/completions",
  access: "key",
  bodyParser: ({ MAX_BODY_BYTES, MAX_PARTS_BYTES }) => measuredJson(MAX_BODY_BYTES + MAX_PARTS_BYTES, MAX_BODY_BYTES),
  operation: {
    id: "createChatCompletion",
    tag: "OpenAI",
    summary: "Answer a conversation",
    description:
      "`model` is an agent, `messages` are the conversation. With a session, which the client names, the session is" +
      " the conversation, and only what follows the last message of the assistant is new. The `id` of the answer is" +
      " that of the job. A client that goes away cancels nothing unless it says so.",
    headers: [...JOB_REQUEST_HEADERS, "X-Session-Id", "X-Cancel-On-Disconnect"],
    body: asJson(ChatRequestSchema),
    responses: {
      200: {
        description: "The answer; with `stream: true`, chunks of it, and an error if the job fails in mid-stream.",
        content: { ...asJson(ChatCompletionSchema), [EVENT_STREAM]: ChatEventSchema },
        headers: ["X-Job-Id", "X-Session-Id"],
      },
    },
    errors: [...ACCEPT_ERRORS, ...AGENT_ERRORS, "open_streams_limit", ...JOB_ERRORS, "job_cancelled", "answer_pending"],
  },
  async handle(req, res, caller) {
    limitBody(req, services.config.MAX_BODY_BYTES, "messages");
    const request = validate(ChatRequestSchema, req.body);
    const cancels = readCancelsOnDisconnect(req);
    takeStream(res, services.streamShare, caller.owner);
    const accepted = await accept(services, req, caller, request);
    const { jobId } = accepted;
    if (cancels) cancelOnDisconnect(res, services, caller, jobId);
    if (!request.stream) return sendWhole(res, services, caller, request, accepted);
    const format = chatStream({
      jobId,
      model: request.model,
      includesUsage: request.stream_options?.include_usage === true,
      isJson: (request.response_format ?? { type: "text" }).type !== "text",
    });
    streamAccepted(res, services, format, caller.owner, accepted);
  },
});

async function accept(services: Services, req: Request, caller: Caller, request: ChatRequest): Promise<Accepted> {
  const { model, messages, metadata, user } = request;
  const name = sessionNameOf(req, request);
  const agent = await services.agentCatalog.find(model);
  const { config, limits } = agentRequestOf(request, agent);
  const read = name === null ? readConversation : readTurn;
  const { text, parts, history, toolResults } = read(messages, services.config.MAX_MESSAGE_PARTS);
  const origin = { ...originOf(req, caller, text), idempotency: readIdempotency(req) };
  try {
    return await acceptJob(services, origin, {
      kind: "chat",
      agentType: model,
      sessionId: name === null ? null : await sessionIdOf(services, caller.owner, name),
      createsSession: true,
      beginsSession: false,
      ...{ text, parts, history, config, limits },
      // A request says all that it wants, as it would to OpenAI.
      inheritsConfig: false,
      tools: toolsOf(request.tools),
      toolChoice: toolChoiceOf(request.tool_choice),
      toolResults,
      metadata: user === undefined ? metadata : { user, ...metadata },
      onBusy: "queue",
    });
  } catch (error) {
    throw inRequestTerms(inFieldsOfFunctions(inFieldsOfResults(error, fieldsOfResults(messages))), request);
  }
}

const SESSION_HEADER = "X-Session-Id";

/** The client's own name of the session, null for none. The header overrides the metadata. */
function sessionNameOf(req: Request, { metadata }: ChatRequest): string | null {
  const header = req.get(SESSION_HEADER);
  const schema = REQUEST_HEADERS[SESSION_HEADER];
  if (header !== undefined) return validate(schema, header, [SESSION_HEADER]);
  if (metadata.session_id === undefined) return null;
  return validate(schema, metadata.session_id, ["metadata", "session_id"]);
}

async function sendWhole(
  res: Response,
  services: Services,
  { owner }: Caller,
  request: ChatRequest,
  { jobId, sessionId }: Accepted,
): Promise<void> {
  const row = await awaitAccepted(res, services, owner, jobId);
  res.setHeader("X-Job-Id", jobId);
  if (sessionId !== null) res.setHeader("X-Session-Id", sessionId);
  const details = { job_id: jobId };
  if (row === null) throw new PlatformError("answer_pending", { details });
  const { status, error_code: code, error_message: message, usage } = row;
  const result = resultOfRow(row);
  const error = code === null ? null : { code, message: message ?? "" };
  const reason = finishReasonOf({ status, finishReason: result.finish_reason ?? null, error });
  const counts = usage === null ? null : JSON.parse(usage);
  if (reason !== null) res.json(completionOf(jobId, request.model, result, reason, counts));
  else if (error !== null) throw inRequestTerms(jobError(error.code, error.message, details), request);
  else throw new PlatformError("job_cancelled", { details });
}
