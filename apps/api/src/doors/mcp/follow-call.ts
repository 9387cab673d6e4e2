/**
 * Follows the job of a tool call: thoughts become progress, questions are asked, the end becomes the result. All of it
 * follows from log and rows, so any API process can go on where another one stopped.
 */
import { type DecodedEvent, decodeEvents, readBounds } from "@agent-paas/shared/contract/events.ts";
import type { JobError } from "@agent-paas/shared/contract/jobs.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type { Response } from "express";
import { followJob, type JobStage } from "../../events/job-event-follower.ts";
import type { Caller } from "../../http/door.ts";
import { cancelJob } from "../../jobs/cancel-job.ts";
import { endedRowFinder, knownChecker } from "../../jobs/find-job.ts";
import { openEventChannel, openJsonChannel } from "./call-channel.ts";
import { type CallResult, callResult, endOfRow, errorResult } from "./call-result.ts";
import { eventIds, type StreamedCall } from "./event-id.ts";
import { describeWaiting, elicitationOf, findOpen } from "./inquiries.ts";
import { modernResult, rpcNotification, rpcRequest, rpcResult } from "./json-rpc.ts";
import type { McpServices } from "./mcp-services.ts";
import { createBeats, type Progress, progressOf } from "./progress.ts";
import { encodeRequestState, questionId } from "./state.ts";

export type FollowedCall = StreamedCall & {
  readonly sessionId: string | null;
  /** The last `seq` that the client has seen; 0 for none. */
  readonly after: number;
  readonly stage: JobStage;
  /** By the revision of 2026-07-28 a client that closes the response cancels; by the others it may come back. */
  readonly isModern: boolean;
  /** Null: the client takes no events, but one JSON body. `isPrimed`: its first event has an id and no data. */
  readonly stream: { readonly isPrimed: boolean } | null;
};

const THOUGHT = "\nevent: thought\n";
const ERROR = "\nevent: error\n";
const QUESTIONS: readonly string[] = ["approval_required", "input_required"];

export function followCall(services: McpServices, res: Response, { owner, note }: Caller, call: FollowedCall): void {
  const { jobId, sessionId, requestId, progressToken, elicits, after, stage, isModern, stream } = call;
  const { events, config } = services;
  // The client left while its job was accepted: "close" was emitted before.
  if (res.destroyed) {
    if (isModern) requestCancel();
    return;
  }
  const ids = { job_id: jobId, session_id: sessionId };
  const findEnded = endedRowFinder(services, owner, jobId);
  const eventId = stream === null || isModern ? null : eventIds(call);
  const beat = createBeats();
  /** By the ids of inquiries: what this response has asked. */
  const asked = new Set<string>();
  let cursor = after;
  let jobError: JobError | null = null;
  let isOver = false;

  const channel =
    stream === null
      ? openJsonChannel(res, { withinMs: config.JSON_WAIT_MS, onTimeout: () => finish(goesOn()), onClose })
      : openEventChannel(res, services, {
          ...{ eventId, primedAt: stream.isPrimed ? after : null },
          ...{ onDrain: () => follower.resume(), onBeat: () => void showProgress(beat(cursor), cursor), onClose },
        });
  const follower = followJob(events, {
    ...{ jobId, sessionId, after, stage, findEnded },
    isKnown: knownChecker(services, owner, jobId),
    sink: { write: pass, end: () => void showEnd() },
  });
  const removeOpenResponse = events.openResponses.add(sendElsewhere);
  // Its question may have been lost on the way, or with the log.
  if (stage === "open") void ask();

  function pass(batch: Buffer): boolean {
    cursor = readBounds(batch).last;
    if (!batch.includes(THOUGHT) && !batch.includes(ERROR)) return true;
    const hasRoom = decodeEvents(batch).map(show);
    return hasRoom.every(Boolean);
  }

  function show({ event, data, seq }: DecodedEvent): boolean {
    if (event === "error") jobError = data;
    if (event !== "thought") return true;
    if (QUESTIONS.includes(data.type)) void ask();
    return showProgress(progressOf(data, seq), seq);
  }

  function showProgress(progress: Progress | null, seq: number): boolean {
    if (isOver || progress === null || progressToken === null) return true;
    return channel.send(rpcNotification("notifications/progress", { progressToken, ...progress }), seq);
  }

  async function ask(): Promise<void> {
    const open = await findOpen(services, jobId).catch(() => null);
    if (open === null) finish(unreadable());
    else if (open.length > 0 && !isOver) askFor(open);
  }

  function askFor(open: Awaited<ReturnType<typeof findOpen>>): void {
    const questions = open.map((one) => ({ id: one.request_id, params: elicitationOf(one) }));
    const canAsk = elicits && (isModern || stream !== null) && questions.every(({ params }) => params !== null);
    if (!canAsk) {
      finish(
        errorResult("person_required", describeWaiting(open, services.jobPath(jobId)), { ...ids, status: "waiting" }),
      );
    } else if (isModern) {
      const requests = questions.map(({ id, params }) => [id, { method: "elicitation/create", params }]);
      const requestState = encodeRequestState({ jobId, after: cursor });
      send(modernResult({ inputRequests: Object.fromEntries(requests), requestState }, "input_required"));
    } else {
      for (const { id, params } of questions.filter((one) => !asked.has(one.id))) {
        asked.add(id);
        channel.send(rpcRequest(questionId(jobId, id), "elicitation/create", params ?? {}), cursor);
      }
    }
  }

  async function showEnd(): Promise<void> {
    const row = await findEnded().catch(() => null);
    if (row !== null) finish(callResult(endOfRow(row)));
    else finish(jobError === null ? unreadable() : errorResult(jobError.code, jobError.message, ids));
  }

  const finish = (result: CallResult) => send(isModern ? modernResult(result) : result);

  function send(result: object): void {
    if (isOver) return;
    leave();
    channel.finish(rpcResult(requestId, result), cursor);
  }

  function leave(): void {
    isOver = true;
    follower.close();
    removeOpenResponse();
  }

  function onClose(): void {
    if (isOver) return;
    leave();
    if (isModern && channel.isClosedByClient()) requestCancel();
  }

  function requestCancel(): void {
    note({ job_id: jobId, cancel_requested: true });
    // Nobody is there to hear that it failed; the job goes on then.
    cancelJob(services, owner, jobId).catch(() => {});
  }

  /** This process stops: clients that can resume do so at another. */
  function sendElsewhere(): void {
    if (isOver) return;
    if (eventId === null) {
      finish(goesOn());
    } else {
      leave();
      channel.leave();
    }
  }

  function goesOn(): CallResult {
    const words = `The answer takes longer than the request may. GET ${services.jobPath(jobId)} will have it.`;
    return errorResult("still_running", words, ids);
  }

  function unreadable(): CallResult {
    const { code, message } = new PlatformError("database_unavailable");
    return errorResult(code, message, ids);
  }
}
