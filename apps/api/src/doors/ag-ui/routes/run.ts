/** POST /ag-ui/{agent_id}: a run, as its events. */
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type { Request } from "express";
import { limitBody } from "../../../http/body-size.ts";
import { chatJson } from "../../../http/chat-body.ts";
import type { Caller, Route } from "../../../http/door.ts";
import { idempotencyOf } from "../../../http/job-headers.ts";
import { cancelOnDisconnect, readCancelsOnDisconnect } from "../../../http/leaving-client.ts";
import { asJson } from "../../../http/operation.ts";
import { ACCEPT_ERRORS, AGENT_ERRORS } from "../../../http/route-errors.ts";
import { AgentIdSchema, acceptInSession, type ChatStream, streamChat } from "../../../http/session-chat.ts";
import { EVENT_STREAM } from "../../../http/stream-format.ts";
import { takeStream } from "../../../http/take-stream.ts";
import { openResults } from "../../../jobs/client-tools.ts";
import { findJob } from "../../../jobs/find-job.ts";
import { sessionIdOf } from "../../../jobs/find-session.ts";
import { type AskingJob, decideAsked, findAsking } from "../../../jobs/session-jobs.ts";
import type { Services } from "../../../services.ts";
import { AgUiEventSchema } from "../events.ts";
import { decisionOf } from "../resume.ts";
import { checkResults, type RunInput, RunInputSchema, readRunInput, readTurn, withoutAsked } from "../run-input.ts";
import { runStream } from "../stream.ts";

type Streamed = Omit<ChatStream, "sessionId">;

export const postRun = (services: Services): Route => ({
  method: "post",
  path: "/:agent_id",
  access: "key",
  bodyParser: ({ MAX_BODY_BYTES, MAX_PARTS_BYTES }) =>
    chatJson({ limit: MAX_BODY_BYTES + MAX_PARTS_BYTES, mostValues: MAX_BODY_BYTES }),
  operation: {
    id: "createAgUiRun",
    tag: "AG-UI",
    summary: "Run an agent",
    description:
      "`threadId` names a session, which begins with its first use and holds the conversation: only what follows the" +
      " last message of the assistant is new. `runId` works as an `Idempotency-Key`. With `resume`, the run goes on" +
      " with the job that was interrupted. A client that goes away cancels nothing unless it says so.",
    params: { agent_id: AgentIdSchema },
    headers: ["Accept-Language", "traceparent", "X-Cancel-On-Disconnect"],
    body: asJson(RunInputSchema),
    responses: {
      200: {
        description: "The events of the run.",
        content: { [EVENT_STREAM]: AgUiEventSchema },
        headers: ["X-Job-Id", "X-Session-Id"],
      },
    },
    errors: [
      ...[...ACCEPT_ERRORS, ...AGENT_ERRORS],
      ...(["open_streams_limit", "request_not_found", "decision_conflict", "job_not_waiting"] as const),
    ],
  },
  async handle(req, res, caller) {
    limitBody(req, services.config.MAX_BODY_BYTES, "messages");
    const input = readRunInput(req.body);
    const cancels = readCancelsOnDisconnect(req);
    takeStream(res, services.streamShare, caller.owner);
    const sessionId = await sessionIdOf(services, caller.owner, input.threadId);
    const streamed =
      input.resume.length > 0
        ? await resume(services, req, caller, input, sessionId)
        : await accept(services, req, caller, input, sessionId);
    if (cancels) cancelOnDisconnect(res, services, caller, streamed.jobId);
    const { threadId, runId } = input;
    await streamChat(res, services, caller, { ...streamed, sessionId }, (known) =>
      runStream({ threadId, runId }, known),
    );
  },
});

async function accept(
  services: Services,
  req: Request,
  caller: Caller,
  input: RunInput,
  sessionId: string,
): Promise<Streamed> {
  const { earlierResults, ...turn } = readTurn(input, services.config);
  const sameTurn = await openResults(services, caller.owner, sessionId, earlierResults);
  const toolResults = checkResults([...sameTurn, ...turn.toolResults]);
  const { config, limits, metadata, on_busy: onBusy } = input.forwardedProps;
  const { jobId, isNew } = await acceptInSession(services, req, caller, {
    ...{ sessionId, idempotency: idempotencyOf(req, input.runId) },
    ...{ ...turn, toolResults, config, limits, metadata, onBusy },
  });
  return { jobId, isNew, seen: new Set() };
}

/** The job that was interrupted goes on; or, if all that it has asked is dropped, a message of the user follows it. */
async function resume(
  services: Services,
  req: Request,
  caller: Caller,
  input: RunInput,
  sessionId: string,
): Promise<Streamed> {
  const { owner, note } = caller;
  const { resume: entries, forwardedProps } = input;
  const places = new Map(entries.map(({ interruptId }, at) => [interruptId, at]));
  const ids = [...places.keys()];
  const job = await findAsking(services, owner, sessionId, ids);
  const messages = job === null ? input.messages : await addedTo(services, owner, job, input);
  const isAdded = messages.some(({ role }) => role === "user");
  if (isAdded && entries.some(({ status }) => status === "resolved")) {
    const problem = "a message of the user cannot come with answers that the run goes on with; the next run takes it";
    throw new PlatformError("invalid_request", { message: `messages: ${problem}`, param: "messages" });
  }
  if (job === null && !isAdded) throw new PlatformError("request_not_found", { param: "resume" });
  // A job that the message is about to cancel needs no decisions.
  if (job !== null && !(isAdded && forwardedProps.on_busy === "interrupt")) {
    await decideAsked(services, owner, job, (id, inquiry) => {
      const at = places.get(id) ?? 0;
      return decisionOf(entries[at] as (typeof entries)[number], inquiry, at);
    });
    note({ job_id: job.jobId, decisions: ids.length });
  }
  if (job === null || isAdded) return accept(services, req, caller, { ...input, messages: [...messages] }, sessionId);
  return { jobId: job.jobId, isNew: false, seen: new Set(ids).intersection(job.asked) };
}

/** The messages that come with answers to a job, without what that job is about. */
async function addedTo(services: Services, owner: string, { jobId }: AskingJob, { messages }: RunInput) {
  if (!messages.some(({ role }) => role === "user")) return messages;
  const job = await findJob(services, owner, jobId);
  return withoutAsked(messages, job.in === "database" ? job.row.task : job.payload.text);
}
