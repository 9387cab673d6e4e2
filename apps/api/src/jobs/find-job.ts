/** Finds a job of the caller: in the database once a worker has started it, in the queue before. */
import { isTerminal, type JobPayload, type JobStatus } from "@agent-paas/shared/contract/jobs.ts";
import type { InquiryRow, JobRow } from "@agent-paas/shared/db/rows.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type { StartedJob } from "../queue/queued-jobs.ts";
import type { Services } from "../services.ts";

export type FoundJob<Row = JobRow> =
  | {
      readonly in: "database";
      readonly row: Row;
      /** Set for a started job that waits in its queue again: its worker requeued it, or died. */
      readonly waits: { readonly position: number | null } | null;
      /** What people must decide before the job goes on. */
      readonly waitingFor: readonly InquiryRow[];
    }
  | { readonly in: "queue"; readonly payload: JobPayload; readonly position: number | null };

export function statusOf(job: FoundJob<Pick<JobRow, "status">>): JobStatus {
  if (job.in === "queue") return "queued";
  if (job.waitingFor.length > 0) return "waiting";
  return job.waits === null ? job.row.status : "queued";
}

export type FindJobServices = Pick<Services, "jobs" | "queuedJobs">;

/** Throws `job_not_found`, the same for a job of another owner and for one that does not exist (I8). */
export async function findJob({ jobs, queuedJobs }: FindJobServices, owner: string, id: string): Promise<FoundJob> {
  const row = await jobs.find(owner, id);
  if (row !== undefined) return asStarted({ jobs, queuedJobs }, row);
  const queued = await queuedJobs.find(owner, id);
  if (queued !== null) return { in: "queue", ...queued };
  // A job leaves the queue only after its row was written, so one that left between the two reads has a row now.
  const writtenSince = await jobs.find(owner, id);
  if (writtenSince !== undefined) return asStarted({ jobs, queuedJobs }, writtenSince);
  throw new PlatformError("job_not_found");
}

async function asStarted(services: FindJobServices, row: JobRow): Promise<FoundJob> {
  const [found] = await asFound(services, [row]);
  return found as FoundJob & { readonly in: "database" };
}

/** What holds up those of the started jobs that no worker has. */
export async function asFound<Row extends StartedJob & Pick<JobRow, "status">>(
  { jobs, queuedJobs }: FindJobServices,
  rows: readonly Row[],
): Promise<FoundJob<Row>[]> {
  const running = rows.filter(({ status }) => status === "running").map(({ id }) => id);
  const inquiries = running.length === 0 ? [] : await jobs.openInquiries(running);
  const open = Map.groupBy(inquiries, ({ job_id }) => job_id);
  const waiting = await findWaiting(
    queuedJobs,
    rows.filter(({ id }) => !open.has(id)),
  );
  return rows.map((row) => ({
    ...{ in: "database", row, waits: waiting.get(row.id) ?? null, waitingFor: open.get(row.id) ?? [] },
  }));
}

/** Those of the rows that say running whose job waits in its queue again; none while Redis is away. */
async function findWaiting(
  queuedJobs: Pick<Services["queuedJobs"], "waitingAgain">,
  rows: readonly (StartedJob & Pick<JobRow, "status">)[],
): ReturnType<Services["queuedJobs"]["waitingAgain"]> {
  const running = rows.filter(({ status }) => status === "running");
  return running.length === 0 ? new Map() : queuedJobs.waitingAgain(running).catch(() => new Map());
}

export const findJobStatus = async (services: FindJobServices, owner: string, id: string): Promise<JobStatus> =>
  statusOf(await findJob(services, owner, id));

/** Whether a queue or the database knows the job; one that both do not know is lost. */
export const knownChecker =
  ({ jobs, queuedJobs }: FindJobServices, owner: string, id: string) =>
  async (): Promise<boolean> =>
    (await queuedJobs.has(id)) || (await jobs.find(owner, id)) !== undefined;

/** Reads the job's row if the job has ended; followers of its events fall back to it. */
export const endedRowFinder =
  ({ jobs }: Pick<Services, "jobs">, owner: string, id: string) =>
  async (): Promise<JobRow | null> => {
    const row = await jobs.find(owner, id);
    return row !== undefined && isTerminal(row.status) ? row : null;
  };
