/** GET /jobs and GET /jobs/{id}. */

import { isTerminal, JOB_KINDS, JOB_STATUSES } from "@agent-paas/shared/contract/jobs.ts";
import { IdSchema } from "@agent-paas/shared/ids.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import { z } from "zod";
import { abortOnClose } from "../../../http/abort-on-close.ts";
import type { Route } from "../../../http/door.ts";
import { jsonResponse } from "../../../http/operation.ts";
import { READ_ERRORS } from "../../../http/route-errors.ts";
import { takeStream } from "../../../http/take-stream.ts";
import { awaitJobEnd } from "../../../jobs/await-end.ts";
import { endedRowFinder, findJob, knownChecker, statusOf } from "../../../jobs/find-job.ts";
import { listJobs } from "../../../jobs/list-jobs.ts";
import type { Services } from "../../../services.ts";
import { pageQuery, pathId, validate } from "../../../validation/validate.ts";
import { type JobView, JobViewSchema, viewOf } from "../job-view.ts";
import { NextPageSchema } from "../response-fields.ts";

/** Longest `wait` that a client may ask for, seconds; `JSON_WAIT_MS` may end it sooner. */
const MAX_WAIT_S = 60;

/** The `Retry-After` of a job that has not ended, seconds. */
const POLL_AGAIN_S = 1;

const JobQuerySchema = z.object({
  wait: z.coerce.number().min(0).max(MAX_WAIT_S).default(0).describe("Wait so long for the end of the job, seconds."),
});

const JobsQuerySchema = pageQuery(200, 50).extend({
  status: z.enum(JOB_STATUSES).optional(),
  kind: z.enum(JOB_KINDS).optional(),
  agent_type: z.string().min(1).optional(),
  session_id: IdSchema.optional(),
});

export const getJob = (services: Services): Route => ({
  method: "get",
  path: "/jobs/:id",
  access: "key",
  operation: {
    id: "getJob",
    tag: "Jobs",
    summary: "State and result of a job",
    params: { id: IdSchema },
    query: JobQuerySchema,
    responses: {
      200: jsonResponse("The job; with `Retry-After` while it has not ended.", JobViewSchema, "Retry-After"),
    },
    errors: [...READ_ERRORS, "job_not_found", "open_streams_limit"],
  },
  async handle(req, res, { owner }) {
    const id = pathId(req.params);
    const { wait } = validate(JobQuerySchema, req.query);
    if (wait > 0) takeStream(res, services.streamShare, owner);
    let job = await viewJob(services, owner, id);
    if (wait > 0 && !isTerminal(job.status)) {
      const findEnded = endedRowFinder(services, owner, id);
      const isKnown = knownChecker(services, owner, id);
      const withinMs = Math.min(wait * SECOND, services.config.JSON_WAIT_MS);
      await awaitJobEnd(services, { jobId: id, withinMs, signal: abortOnClose(res), findEnded, isKnown });
      job = await viewJob(services, owner, id);
    }
    if (!isTerminal(job.status)) res.setHeader("Retry-After", POLL_AGAIN_S);
    res.json(job);
  },
});

async function viewJob(services: Services, owner: string, id: string): Promise<JobView> {
  const job = await findJob(services, owner, id);
  // Only a started job that has not ended has progress. It is null while Redis is away: no reason to fail the request.
  const hasProgress = job.in === "database" && !isTerminal(statusOf(job));
  return viewOf(job, hasProgress ? await services.queuedJobs.progress(id).catch(() => null) : null);
}

const JobPageSchema = z.object({ jobs: z.array(JobViewSchema), next: NextPageSchema });

/** Newest first, queued and started jobs in one order. */
export const getJobs = (services: Services): Route => ({
  method: "get",
  path: "/jobs",
  access: "key",
  operation: {
    id: "listJobs",
    tag: "Jobs",
    summary: "List jobs, newest first",
    query: JobsQuerySchema,
    responses: { 200: jsonResponse("A page of jobs.", JobPageSchema) },
    errors: READ_ERRORS,
  },
  async handle(req, res, { owner }) {
    const filter = validate(JobsQuerySchema, req.query);
    const { jobs, next } = await listJobs(services, owner, filter);
    res.json({ jobs: jobs.map((job) => viewOf(job, null)), next });
  },
});
