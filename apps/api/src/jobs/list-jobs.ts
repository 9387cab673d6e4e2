/** Lists jobs of the caller, queued and started ones in one order, newest first. */
import type { Services } from "../services.ts";
import { type JobFilter, type ListedJob, listsAgent } from "../storage/job-reader.ts";
import type { FoundJob } from "./find-job.ts";

export type ListedOrQueued = FoundJob<ListedJob>;

export const idOf = (job: ListedOrQueued): string => (job.in === "database" ? job.row.id : job.payload.job_id);

export async function listJobs(
  services: Pick<Services, "jobs" | "queuedJobs">,
  owner: string,
  filter: JobFilter,
): Promise<ListedOrQueued[]> {
  const { status, limit } = filter;
  // The queue is read first: a job that a worker starts in between is found twice rather than not at all.
  const queued = status === undefined || status === "queued" ? await listQueued(services, owner, filter) : [];
  const rows = status === "queued" ? [] : await services.jobs.list(owner, filter);
  const started = new Set(rows.map(({ id }) => id));
  return [
    ...queued.filter((job) => !started.has(idOf(job))),
    ...rows.map((row): ListedOrQueued => ({ in: "database", row })),
  ]
    .sort((a, b) => (idOf(a) < idOf(b) ? 1 : -1)) // Ids rise with time.
    .slice(0, limit);
}

async function listQueued(
  { jobs, queuedJobs }: Pick<Services, "jobs" | "queuedJobs">,
  owner: string,
  filter: JobFilter,
): Promise<ListedOrQueued[]> {
  const { kind, session_id, before, limit } = filter;
  const waiting = await queuedJobs.list(owner);
  // A started job that waits again, for a retry or for another worker, counts as running and is listed with the rows.
  const started = new Set(
    await jobs.started(
      owner,
      waiting.map(({ job_id }) => job_id),
    ),
  );
  const listed = waiting.filter(
    (payload) =>
      !started.has(payload.job_id) &&
      (before === undefined || payload.job_id < before) &&
      (kind === undefined || payload.kind === kind) &&
      listsAgent(filter, payload.agent_type) &&
      (session_id === undefined || payload.session_id === session_id),
  );
  return Promise.all(
    listed
      .slice(0, limit)
      .map(async (payload) => ({ in: "queue" as const, payload, position: await queuedJobs.position(payload) })),
  );
}
