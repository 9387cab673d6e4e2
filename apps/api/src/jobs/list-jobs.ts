/** Lists jobs of the caller, queued and started ones in one order, newest first. */
import type { Services } from "../services.ts";
import { type JobFilter, type ListedJob, listsAgent } from "../storage/job-reader.ts";
import { type FoundJob, findWaiting } from "./find-job.ts";

export type ListedOrQueued = FoundJob<ListedJob>;

export type JobPage = {
  readonly jobs: readonly ListedOrQueued[];
  /** The id before which the next page begins; null if this page is the last. */
  readonly next: string | null;
};

type ListServices = Pick<Services, "jobs" | "queuedJobs">;

const idOf = (job: ListedOrQueued): string => (job.in === "database" ? job.row.id : job.payload.job_id);

export async function listJobs(services: ListServices, owner: string, filter: JobFilter): Promise<JobPage> {
  const { status, limit } = filter;
  // The queue is read first: a job that a worker starts in between is found twice rather than not at all.
  const queued = status === undefined || status === "queued" ? await listQueued(services, owner, filter) : [];
  const rows = status === "queued" ? [] : await asFound(services, await services.jobs.list(owner, filter));
  const inDatabase = new Set(rows.map(idOf));
  const found = [...queued.filter((job) => !inDatabase.has(idOf(job))), ...rows]
    .sort((a, b) => (idOf(a) < idOf(b) ? 1 : -1)) // Ids rise with time.
    .slice(0, limit);
  const last = found.at(-1);
  return {
    // Their rows say running, too; so a page of running jobs may be short and have a next one all the same.
    jobs: status === "running" ? found.filter((job) => !waitsAgain(job)) : found,
    next: found.length === limit && last !== undefined ? idOf(last) : null,
  };
}

const waitsAgain = (job: ListedOrQueued): boolean => job.in === "database" && job.waits !== null;

async function asFound({ queuedJobs }: ListServices, rows: readonly ListedJob[]): Promise<ListedOrQueued[]> {
  const waiting = await findWaiting(queuedJobs, rows);
  return rows.map((row) => ({ in: "database", row, waits: waiting.get(row.id) ?? null }));
}

/** Jobs that wait; with the filter `queued` also those that wait again, which other lists find by their rows. */
async function listQueued(services: ListServices, owner: string, filter: JobFilter): Promise<ListedOrQueued[]> {
  const { kind, session_id, before, limit } = filter;
  const { jobs, queuedJobs } = services;
  const waiting = await queuedJobs.list(owner);
  const rows = await jobs.started(
    owner,
    waiting.map(({ job_id }) => job_id),
  );
  const started = new Set(rows.map(({ id }) => id));
  const again = filter.status === "queued" ? (await asFound(services, rows)).filter(waitsAgain) : [];
  const againIds = new Set(again.map(idOf));
  const listed = waiting
    .filter(
      (payload) =>
        (!started.has(payload.job_id) || againIds.has(payload.job_id)) &&
        (before === undefined || payload.job_id < before) &&
        (kind === undefined || payload.kind === kind) &&
        listsAgent(filter, payload.agent_type) &&
        (session_id === undefined || payload.session_id === session_id),
    )
    .slice(0, limit);
  return Promise.all(
    listed.map(
      async (payload) =>
        again.find((job) => idOf(job) === payload.job_id) ?? {
          in: "queue" as const,
          payload,
          position: await queuedJobs.position(payload),
        },
    ),
  );
}
