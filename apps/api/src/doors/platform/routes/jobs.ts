/** GET /jobs and GET /jobs/{id}. */
import { isTerminal, JOB_KINDS, JOB_STATUSES } from "@agent-paas/shared/contract/jobs.ts";
import { IdSchema } from "@agent-paas/shared/ids.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import { z } from "zod";
import type { Route } from "../../../http/route.ts";
import { pageQuery, pathId, validate } from "../../../http/validate.ts";
import { endedRowFinder, findJob } from "../../../jobs/find-job.ts";
import type { Services } from "../../../services.ts";
import { type JobFilter, listsAgent } from "../../../storage/job-reader.ts";
import { type JobView, viewOfQueued, viewOfRow } from "../job-view.ts";
import { abortOnClose } from "../request-fields.ts";

/** Longest `wait`, seconds: below the idle time-outs that proxies usually have. */
const MAX_WAIT_S = 60;

/** What a client that polls is told to wait, seconds. */
const POLL_AGAIN_S = 1;

const JobQuerySchema = z.object({ wait: z.coerce.number().min(0).max(MAX_WAIT_S).default(0) });

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
  async handle(req, res, { owner }) {
    const id = pathId(req.params);
    const { wait } = validate(JobQuerySchema, req.query);
    let job = await viewJob(services, owner, id);
    if (wait > 0 && !isTerminal(job.status)) {
      const findEnded = endedRowFinder(services, owner, id);
      await services.fanout.awaitEnd({ jobId: id, withinMs: wait * SECOND, signal: abortOnClose(res), findEnded });
      job = await viewJob(services, owner, id);
    }
    if (!isTerminal(job.status)) res.setHeader("Retry-After", POLL_AGAIN_S);
    res.json(job);
  },
});

async function viewJob(services: Services, owner: string, id: string): Promise<JobView> {
  const job = await findJob(services, owner, id);
  if (job.in === "queue") return viewOfQueued(job.payload, job.position);
  // Progress is worth no failure: it is null while Redis is away.
  const progress = isTerminal(job.row.status) ? null : await services.queuedJobs.progress(id).catch(() => null);
  return viewOfRow(job.row, progress);
}

/** Newest first, queued and started ones in one order. */
export const listJobs = (services: Services): Route => ({
  method: "get",
  path: "/jobs",
  access: "key",
  async handle(req, res, { owner }) {
    const filter = validate(JobsQuerySchema, req.query);
    const { status, limit } = filter;
    // The queue first: a job that a worker takes meanwhile is seen twice rather than not at all.
    const queued = status === undefined || status === "queued" ? await listQueued(services, owner, filter) : [];
    const rows = status === "queued" ? [] : await services.jobs.list(owner, filter);
    const started = new Set(rows.map(({ id }) => id));
    const jobs = [...queued.filter(({ id }) => !started.has(id)), ...rows.map((row) => viewOfRow(row, null))]
      // Ids rise with time.
      .sort((a, b) => (a.id < b.id ? 1 : -1))
      .slice(0, limit);
    res.json({ jobs, next: jobs.length === limit ? (jobs.at(-1)?.id ?? null) : null });
  },
});

async function listQueued(services: Services, owner: string, filter: JobFilter): Promise<JobView[]> {
  const { kind, session_id, before, limit } = filter;
  const waiting = await services.queuedJobs.list(owner);
  // One that was started and waits again, for a retry or another worker, is running and stands among the rows.
  const ids = waiting.map(({ job_id }) => job_id);
  const started = new Set(await services.jobs.started(owner, ids));
  const listed = waiting.filter(
    (payload) =>
      !started.has(payload.job_id) &&
      (before === undefined || payload.job_id < before) &&
      (kind === undefined || payload.kind === kind) &&
      listsAgent(filter, payload.agent_type) &&
      (session_id === undefined || payload.session_id === session_id),
  );
  return Promise.all(
    listed.slice(0, limit).map(async (payload) => viewOfQueued(payload, await services.queuedJobs.position(payload))),
  );
}
