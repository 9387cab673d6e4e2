/** POST /jobs/{id}/rerun: starts a new job with what an execute job was given. */
import { IdSchema } from "@agent-paas/shared/ids.ts";
import type { Route } from "../../../http/door.ts";
import { JOB_REQUEST_HEADERS } from "../../../http/headers.ts";
import { originOf, readIdempotency } from "../../../http/job-headers.ts";
import { ACCEPT_ERRORS, AGENT_ERRORS } from "../../../http/route-errors.ts";
import { acceptJob } from "../../../jobs/accept-job.ts";
import { repeatedRequest } from "../../../jobs/job-inputs.ts";
import type { Services } from "../../../services.ts";
import { bodySchema, pathId, validate } from "../../../validation/validate.ts";
import { ACCEPTED, sendAccepted } from "../accepted-job.ts";

const RerunSchema = bodySchema({});

export const postJobRerun = (services: Services): Route => ({
  method: "post",
  path: "/jobs/:id/rerun",
  access: "key",
  operation: {
    id: "rerunJob",
    tag: "Jobs",
    summary: "Run a task again",
    description:
      "A new job of the same agent with the task, input, config, limits, metadata and session of an execute job," +
      " whether that has ended or not. A chat is asked again by `replace_from` of `POST /chat/completions`.",
    params: { id: IdSchema },
    headers: JOB_REQUEST_HEADERS,
    responses: { 202: ACCEPTED },
    errors: [...ACCEPT_ERRORS, ...AGENT_ERRORS, "job_not_found"],
  },
  async handle(req, res, caller) {
    const id = pathId(req.params);
    validate(RerunSchema, req.body ?? {});
    const request = await repeatedRequest(services, caller.owner, id);
    const origin = { ...originOf(req, caller, request.text), idempotency: readIdempotency(req) };
    await sendAccepted(res, services, caller.owner, await acceptJob(services, origin, request));
  },
});
