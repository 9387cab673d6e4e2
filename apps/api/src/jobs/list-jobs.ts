/** Lists jobs of the caller, queued and started ones in one order, newest first. */
import type { WaitingJob } from "../queue/waiting-jobs.ts";
import type { Services } from "../services.ts";
import { type JobFilter, type ListedJob, listsAgent } from "../storage/job-reader.ts";
import { asFound, type FoundJob, statusOf } from "./find-job.ts";

export type ListedOrQueued = FoundJob<ListedJob>;

export type JobPage = {
  readonly jobs: readonly ListedOrQueued[];
  /** The id before which the next page begins; null if this page is the last. */
  readonly next: string | null;
};

type ListServices = Pick<Services, "jobs" | "queuedJobs">;

/** How many entries of the owner's index, or rows of running jobs, one read takes. */
const CHUNK = 500;

/** A page with more metadata than this ends early, because each job may have as much as a request. */
const MAX_PAGE_BYTES = 1_048_576;

const idOf = (job: ListedOrQueued): string => (job.in === "database" ? job.row.id : job.payload.job_id);

export async function listJobs(services: ListServices, owner: string, filter: JobFilter): Promise<JobPage> {
  const { status, limit } = filter;
  // The queue is read first: a job that a worker starts in between is found twice rather than not at all.
  const waiting = status === undefined || status === "queued" ? await findEntries(services, owner, filter) : [];
  const { entries, cutAt } = cutPage(waiting, limit);
  // Ended jobs are listed while Redis is away, too.
  const read = entries.length === 0 ? [] : await services.queuedJobs.read(entries);
  const queued = read.map((job): ListedOrQueued => ({ in: "queue", ...job }));
  const rows =
    status === "queued"
      ? await listWaitingAgain(services, owner, filter)
      : await asFound(services, await services.jobs.list(owner, filter));
  const inDatabase = new Set(rows.map(idOf));
  const found = [...queued.filter((job) => !inDatabase.has(idOf(job))), ...rows]
    .filter((job) => cutAt === null || idOf(job) >= cutAt)
    .sort((a, b) => (idOf(a) < idOf(b) ? 1 : -1)) // Ids rise with time.
    .slice(0, limit);
  const last = found.at(-1);
  return {
    // Others' rows say running, too; so a page of running jobs may be short and have a next one all the same.
    jobs: status === "running" ? found.filter((job) => statusOf(job) === "running") : found,
    next: found.length === limit && last !== undefined ? idOf(last) : cutAt,
  };
}

const waitsAgain = (job: ListedOrQueued): boolean => job.in === "database" && job.waits !== null;

/** The newest `limit` entries of the owner's index that the filter lets pass and no worker has started. */
async function findEntries(services: ListServices, owner: string, filter: JobFilter): Promise<WaitingJob[]> {
  const { kind, session_id, limit } = filter;
  const found: WaitingJob[] = [];
  for (let before = filter.before; ; ) {
    const page = await services.queuedJobs.waiting(owner, { kind, before }, CHUNK);
    const matching = page.filter(
      ({ agentType, sessionId }) =>
        listsAgent(filter, agentType) && (session_id === undefined || sessionId === session_id),
    );
    // A worker writes the row before it takes the entry out.
    const started = new Set(
      await services.jobs.startedIds(
        owner,
        matching.map(({ jobId }) => jobId),
      ),
    );
    found.push(...matching.filter(({ jobId }) => !started.has(jobId)));
    before = page.at(-1)?.jobId;
    if (page.length < CHUNK || found.length >= limit) return found.slice(0, limit);
  }
}

/**
 * The entries whose metadata fits a page, at least one. `cutAt`: the id of the last one, if others may follow; then the
 * page has nothing older, also when some of its jobs have left the queue meanwhile.
 */
function cutPage(
  entries: readonly WaitingJob[],
  limit: number,
): { entries: readonly WaitingJob[]; cutAt: string | null } {
  let bytes = 0;
  for (const [at, { stored, bytes: own }] of entries.entries()) {
    if (stored === "metadata") bytes += own;
    const previous = entries[at - 1];
    if (bytes > MAX_PAGE_BYTES && previous) return { entries: entries.slice(0, at), cutAt: previous.jobId };
  }
  return { entries, cutAt: entries.length === limit ? (entries.at(-1)?.jobId ?? null) : null };
}

/** The newest `limit` started jobs that wait in their queue again; other lists find them by their rows. */
async function listWaitingAgain(services: ListServices, owner: string, filter: JobFilter): Promise<ListedOrQueued[]> {
  const found: ListedOrQueued[] = [];
  for (let before = filter.before; ; ) {
    const rows = await services.jobs.list(owner, { ...filter, status: "running", before, limit: CHUNK });
    found.push(...(await asFound(services, rows)).filter(waitsAgain));
    before = rows.at(-1)?.id;
    if (rows.length < CHUNK || found.length >= filter.limit) return found.slice(0, filter.limit);
  }
}
