/** POST /ui-messages/{agent_id}: adds to a chat, and streams the answer as a UI message. */
import type { Decision } from "@agent-paas/shared/contract/inquiries.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type { Request } from "express";
import { limitBody } from "../../../http/body-size.ts";
import { chatJson } from "../../../http/chat-body.ts";
import type { Caller, Route } from "../../../http/door.ts";
import { JOB_REQUEST_HEADERS } from "../../../http/headers.ts";
import { readIdempotency } from "../../../http/job-headers.ts";
import { cancelOnDisconnect, readCancelsOnDisconnect } from "../../../http/leaving-client.ts";
import { asJson } from "../../../http/operation.ts";
import { ACCEPT_ERRORS, AGENT_ERRORS } from "../../../http/route-errors.ts";
import { AgentIdSchema, acceptInSession, type ChatStream, streamChat } from "../../../http/session-chat.ts";
import { EVENT_STREAM } from "../../../http/stream-format.ts";
import { takeStream } from "../../../http/take-stream.ts";
import type { JobRequest } from "../../../jobs/accept-job.ts";
import { openResults } from "../../../jobs/client-tools.ts";
import { sessionIdOf } from "../../../jobs/find-session.ts";
import { decideAsked, findAsking, jobsAfter } from "../../../jobs/session-jobs.ts";
import type { Services } from "../../../services.ts";
import { type ChatRequest, ChatRequestSchema, readChatRequest } from "../chat-request.ts";
import { UiEventSchema } from "../chunks.ts";
import { decisionOf, type Question, type Replies, readTurn, toolResultsOf } from "../read-turn.ts";
import { uiStream } from "../stream.ts";

type Streamed = Omit<ChatStream, "sessionId"> & { readonly messageId: string };

export const postChat = (services: Services): Route => ({
  method: "post",
  path: "/:agent_id",
  access: "key",
  bodyParser: ({ MAX_BODY_BYTES, MAX_PARTS_BYTES }) =>
    chatJson({ limit: MAX_BODY_BYTES + MAX_PARTS_BYTES, mostValues: MAX_BODY_BYTES }),
  operation: {
    id: "createUiMessage",
    tag: "AI SDK UI",
    summary: "Add to a chat",
    description:
      "The chat's id names a session, which begins with its first use and holds the conversation: only what follows" +
      " the last message of the assistant is new, or the replies in it. A client that goes away cancels nothing" +
      " unless it says so, and `GET …/stream` resumes its stream.",
    params: { agent_id: AgentIdSchema },
    headers: [...JOB_REQUEST_HEADERS, "X-Cancel-On-Disconnect"],
    body: asJson(ChatRequestSchema),
    responses: {
      200: {
        description: "A UI message stream, version 1.",
        content: { [EVENT_STREAM]: UiEventSchema },
        headers: ["X-Job-Id", "X-Session-Id"],
      },
    },
    errors: [
      ...[...ACCEPT_ERRORS, ...AGENT_ERRORS],
      ...(["open_streams_limit", "decision_conflict", "job_not_waiting"] as const),
    ],
  },
  async handle(req, res, caller) {
    limitBody(req, services.config.MAX_BODY_BYTES, "messages");
    const request = readChatRequest(req.body);
    const turn = readTurn(request, services.config);
    const cancels = readCancelsOnDisconnect(req);
    takeStream(res, services.streamShare, caller.owner);
    const sessionId = await sessionIdOf(services, caller.owner, request.id);
    const streamed =
      turn.kind === "question"
        ? await accept(services, req, caller, request, sessionId, await placed(services, caller, sessionId, turn))
        : await reply(services, req, caller, request, sessionId, turn);
    if (cancels) cancelOnDisconnect(res, services, caller, streamed.jobId);
    const message = { ...streamed, sessionId };
    await streamChat(res, services, caller, message, (known) => uiStream({ ...message, ...known }));
  },
});

async function accept(
  services: Services,
  req: Request,
  caller: Caller,
  { config, limits, metadata, on_busy, tools, tool_choice: toolChoice }: ChatRequest,
  sessionId: string,
  added: Pick<JobRequest, "text" | "parts" | "toolResults" | "replaces">,
): Promise<Streamed> {
  const { jobId, isNew } = await acceptInSession(services, req, caller, {
    ...{ sessionId, idempotency: readIdempotency(req) },
    ...{ ...added, tools, toolChoice, config, limits, metadata, onBusy: on_busy },
  });
  return { jobId, isNew, messageId: jobId, seen: new Set() };
}

/** Of any session. */
const FIRST_ORDINAL = 1;

async function placed(
  services: Services,
  { owner }: Caller,
  sessionId: string,
  { text, parts, follows, toolResults }: Question,
) {
  if (follows === undefined) {
    return { text, parts, toolResults: await openResults(services, owner, sessionId, toolResults) };
  }
  const jobs = await jobsAfter(services, owner, sessionId, follows);
  if (jobs === null) {
    const message = "messages: the chat has no answer of the id that is kept, or too many came after it";
    throw new PlatformError("invalid_request", { message, param: "messages" });
  }
  const place = follows === null ? { from_ordinal: FIRST_ORDINAL } : { behind_job: follows };
  return { text, parts, replaces: { ...place, jobs } };
}

/** The job that has asked goes on; calls of the client's tools have ended theirs, and their results begin another. */
async function reply(
  services: Services,
  req: Request,
  caller: Caller,
  request: ChatRequest,
  sessionId: string,
  turn: Replies,
): Promise<Streamed> {
  const { messageId } = turn;
  const decisions = new Map(turn.replies.map((each) => [each.id, decisionOf(each)]));
  const decisionOn = (id: string) => decisions.get(id) as Decision;
  const job = await findAsking(services, caller.owner, sessionId, [...decisions.keys()]);
  if (job === null) {
    const toolResults = toolResultsOf(turn);
    return { ...(await accept(services, req, caller, request, sessionId, { text: "", toolResults })), messageId };
  }
  await decideAsked(services, caller.owner, job, decisionOn);
  caller.note({ job_id: job.jobId, decisions: turn.replies.length });
  return { jobId: job.jobId, isNew: false, messageId, seen: turn.shown.intersection(job.asked) };
}
