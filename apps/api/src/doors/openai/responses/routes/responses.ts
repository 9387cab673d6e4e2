/** GET and DELETE /v1/responses/{id}, POST …/cancel, GET …/input_items. */
import { isTerminal } from "@agent-paas/shared/contract/jobs.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import type { Response } from "express";
import { z } from "zod";
import { abortOnClose } from "../../../../http/abort-on-close.ts";
import type { Route } from "../../../../http/door.ts";
import { asJson, jsonResponse } from "../../../../http/operation.ts";
import { READ_ERRORS } from "../../../../http/route-errors.ts";
import { streamJobEvents } from "../../../../http/sse-stream.ts";
import { EVENT_STREAM } from "../../../../http/stream-format.ts";
import { takeStream } from "../../../../http/take-stream.ts";
import { awaitJobEnd } from "../../../../jobs/await-end.ts";
import { cancelJob } from "../../../../jobs/cancel-job.ts";
import { deleteSessionWithin } from "../../../../jobs/delete-session.ts";
import { endedRowFinder, knownChecker, statusOf } from "../../../../jobs/find-job.ts";
import type { Services } from "../../../../services.ts";
import { validate } from "../../../../validation/validate.ts";
import { jobIdOf, responseId } from "../ids.ts";
import { type FoundResponse, findResponse, readResponse } from "../read-response.ts";
import { ResponseSchema } from "../response.ts";
import { ResponseEventSchema, responseStream } from "../stream.ts";

/** How long a request waits for the worker that carries it out. */
const WAIT_MS = 10 * SECOND;

const RESPONSE_PARAMS = { response_id: z.string().describe("The id of a response, or of a job.") };

const RetrieveQuerySchema = z.object({
  stream: z.enum(["true", "false"]).default("false"),
  starting_after: z.coerce
    .number()
    .int()
    .min(0)
    .optional()
    .describe("The `sequence_number` of the last event that the client has seen."),
});

const pathJobId = (params: Record<string, unknown>) => jobIdOf(String(params.response_id));

const sessionOf = ({ job }: FoundResponse): string | null =>
  job.in === "database" ? job.row.session_id : job.payload.session_id;

export const getResponse = (services: Services): Route => ({
  method: "get",
  path: "/responses/:response_id",
  access: "key",
  operation: {
    id: "retrieveResponse",
    tag: "OpenAI",
    summary: "Get a response, or its events",
    description: "Of any job of an agent, also after its events have expired: then without its reasoning.",
    params: RESPONSE_PARAMS,
    query: RetrieveQuerySchema,
    responses: {
      200: {
        description: "The response; with `stream=true`, its events behind `starting_after`.",
        content: { ...asJson(ResponseSchema), [EVENT_STREAM]: ResponseEventSchema },
        headers: ["X-Job-Id", "X-Session-Id"],
      },
    },
    errors: [...READ_ERRORS, "job_not_found", "open_streams_limit"],
  },
  async handle(req, res, { owner }) {
    const jobId = pathJobId(req.params);
    const { stream, starting_after: after = -1 } = validate(RetrieveQuerySchema, req.query);
    if (stream === "true") takeStream(res, services.streamShare, owner);
    const found = await findResponse(services, owner, jobId);
    if (stream === "false") {
      res.json(await readResponse(services, found));
      return;
    }
    streamJobEvents(res, services, responseStream({ jobId, head: found.head, after }), {
      jobId,
      sessionId: sessionOf(found),
      after: 0,
      findEnded: endedRowFinder(services, owner, jobId),
      isKnown: knownChecker(services, owner, jobId),
      stage: isTerminal(statusOf(found.job)) ? "ended" : "open",
    });
  },
});

export const postResponseCancel = (services: Services): Route => ({
  method: "post",
  path: "/responses/:response_id/cancel",
  access: "key",
  operation: {
    id: "cancelResponse",
    tag: "OpenAI",
    summary: "Cancel a response",
    description:
      "Waits a while for the end, if the owner may open one more response. A response that has ended stays as it is.",
    params: RESPONSE_PARAMS,
    responses: { 200: jsonResponse("The response.", ResponseSchema) },
    errors: [...READ_ERRORS, "not_replicated", "job_not_found"],
  },
  async handle(req, res, { owner, note }) {
    const jobId = pathJobId(req.params);
    await findResponse(services, owner, jobId);
    const { isRequested } = await cancelJob(services, owner, jobId);
    if (isRequested) note({ job_id: jobId, cancel_requested: true });
    if (isRequested && hasRoom(res, services, owner)) {
      const findEnded = endedRowFinder(services, owner, jobId);
      const isKnown = knownChecker(services, owner, jobId);
      await awaitJobEnd(services, { jobId, withinMs: WAIT_MS, signal: abortOnClose(res), findEnded, isKnown });
    }
    res.json(await readResponse(services, await findResponse(services, owner, jobId)));
  },
});

/** An owner whose responses take all the room must still be able to cancel one. */
function hasRoom(res: Response, services: Services, owner: string): boolean {
  try {
    takeStream(res, services.streamShare, owner);
    return true;
  } catch (error) {
    if (error instanceof PlatformError && error.code === "open_streams_limit") return false;
    throw error;
  }
}

const DeletedSchema = z.object({ id: z.string(), object: z.literal("response"), deleted: z.literal(true) });

export const deleteResponse = (services: Services): Route => ({
  method: "delete",
  path: "/responses/:response_id",
  access: "key",
  operation: {
    id: "deleteResponse",
    tag: "OpenAI",
    summary: "Delete a response",
    description: "With its session. What belongs to a conversation is deleted with the conversation.",
    params: RESPONSE_PARAMS,
    responses: { 200: jsonResponse("The response is deleted, or will be as soon as a worker can.", DeletedSchema) },
    errors: [...READ_ERRORS, "job_not_found", "session_not_found", "session_busy"],
  },
  async handle(req, res, { owner }) {
    const jobId = pathJobId(req.params);
    const found = await findResponse(services, owner, jobId);
    const sessionId = sessionOf(found);
    if (sessionId === null) throw notAlone("is not stored: its job goes with the retention of jobs");
    if (found.kept === null || found.kept.echo.conversation !== null) {
      throw notAlone("belongs to a conversation or session: delete that");
    }
    await deleteSessionWithin(services, owner, sessionId, { withinMs: WAIT_MS, signal: abortOnClose(res) });
    res.json({ id: responseId(jobId), object: "response", deleted: true });
  },
});

const notAlone = (problem: string) =>
  new PlatformError("invalid_request", { message: `response_id: the response ${problem}`, param: "response_id" });
