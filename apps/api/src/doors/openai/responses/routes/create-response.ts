/** POST /v1/responses: a job of an agent, as a response. */
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type { Response } from "express";
import { awaitAccepted, streamAccepted } from "../../../../http/answer-job.ts";
import { limitBody, measuredJson } from "../../../../http/body-size.ts";
import type { Caller, Route } from "../../../../http/door.ts";
import { JOB_REQUEST_HEADERS } from "../../../../http/headers.ts";
import { originOf, readIdempotency } from "../../../../http/job-headers.ts";
import { cancelOnDisconnect, readCancelsOnDisconnect } from "../../../../http/leaving-client.ts";
import { asJson } from "../../../../http/operation.ts";
import { ACCEPT_ERRORS, AGENT_ERRORS, JOB_ERRORS } from "../../../../http/route-errors.ts";
import { EVENT_STREAM } from "../../../../http/stream-format.ts";
import { takeStream } from "../../../../http/take-stream.ts";
import { acceptJob } from "../../../../jobs/accept-job.ts";
import { jobError } from "../../../../jobs/job-error.ts";
import type { Accepted } from "../../../../queue/accept-request.ts";
import type { Services } from "../../../../services.ts";
import { validate } from "../../../../validation/validate.ts";
import { inResponseTerms, readJobRequest } from "../job-request.ts";
import { findResponse, readResponse, responseOfRow } from "../read-response.ts";
import { type ResponseRequest, ResponseRequestSchema } from "../request.ts";
import { type Head, headOf, openState, ResponseSchema } from "../response.ts";
import { ResponseEventSchema, responseStream } from "../stream.ts";

export const postResponses = (services: Services): Route => ({
  method: "post",
  path: "/responses",
  access: "key",
  bodyParser: ({ MAX_BODY_BYTES, MAX_PARTS_BYTES }) => measuredJson(MAX_BODY_BYTES + MAX_PARTS_BYTES, MAX_BODY_BYTES),
  operation: {
    id: "createResponse",
    tag: "OpenAI",
    summary: "Ask for a response",
    description:
      "`model` is an agent. The `id` of a response is `resp_` and the id of its job. A response has a session of its own," +
      " or adds to its conversation; with `previous_response_id` it goes on from another one, which may have any number" +
      " of successors. With `background` the request returns at once. A client that goes away cancels nothing unless it" +
      " says so.",
    headers: [...JOB_REQUEST_HEADERS, "X-Cancel-On-Disconnect"],
    body: asJson(ResponseRequestSchema),
    responses: {
      200: {
        description: "The response; with `stream: true`, its events.",
        content: { ...asJson(ResponseSchema), [EVENT_STREAM]: ResponseEventSchema },
        headers: ["X-Job-Id", "X-Session-Id"],
      },
    },
    errors: [...ACCEPT_ERRORS, ...AGENT_ERRORS, "job_not_found", "open_streams_limit", ...JOB_ERRORS, "answer_pending"],
  },
  async handle(req, res, caller) {
    limitBody(req, services.config.MAX_BODY_BYTES, "input");
    const request = validate(ResponseRequestSchema, req.body);
    const cancels = readCancelsOnDisconnect(req);
    if (request.stream || !request.background) takeStream(res, services.streamShare, caller.owner);
    const { job, echo } = await readJobRequest(services, caller.owner, request);
    const origin = { ...originOf(req, caller, job.text), idempotency: readIdempotency(req) };
    const accepted = await acceptJob(services, origin, job).catch(inTermsOf(request));
    const { jobId } = accepted;
    const head = headOf(jobId, request.model, request.metadata, echo);
    if (cancels) cancelOnDisconnect(res, services, caller, jobId);
    if (request.stream) {
      streamAccepted(res, services, responseStream({ jobId, head, after: -1 }), caller.owner, accepted);
    } else {
      setJobHeaders(res, accepted);
      if (request.background) await sendAccepted(res, services, caller, head, accepted);
      else await sendWhole(res, services, caller, head, accepted).catch(inTermsOf(request));
    }
  },
});

const inTermsOf =
  (request: ResponseRequest) =>
  (error: unknown): never => {
    throw inResponseTerms(error, request);
  };

function setJobHeaders(res: Response, { jobId, sessionId }: Accepted): void {
  res.setHeader("X-Job-Id", jobId);
  if (sessionId !== null) res.setHeader("X-Session-Id", sessionId);
}

async function sendAccepted(
  res: Response,
  services: Services,
  { owner }: Caller,
  head: Head,
  { jobId, isNew }: Accepted,
): Promise<void> {
  if (isNew) res.json({ ...head, ...openState("queued") });
  else res.json(await readResponse(services, await findResponse(services, owner, jobId)));
}

/** A job that has failed is an error of the request: nobody looks at the status of what was answered with 200. */
async function sendWhole(
  res: Response,
  services: Services,
  { owner }: Caller,
  head: Head,
  { jobId }: Accepted,
): Promise<void> {
  const row = await awaitAccepted(res, services, owner, jobId);
  const details = { job_id: jobId };
  if (row === null) throw new PlatformError("answer_pending", { details });
  const response = await responseOfRow(services, head, row);
  if (response.error !== null) throw jobError(response.error.code, response.error.message, details);
  res.json(response);
}
