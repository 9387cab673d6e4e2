/** Finds a job of the caller: in the database once a worker has started it, in the queue before. */
import { isTerminal, type JobPayload, type JobStatus } from "@agent-paas/shared/contract/jobs.ts";
import type { JobRow } from "@agent-paas/shared/db/rows.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type { StartedJob } from "../queue/queued-jobs.ts";
import type { Services } from "../services.ts";

export type FoundJob<Row = JobRow> =
  | {
      readonly in: "database";
      readonly row: Row;
      /** Set for a started job that waits in its queue again: its worker requeued it, or died. */
      readonly waits: { readonly position: number | null } | null;
    }
  | { readonly in: "queue"; readonly payload: JobPayload; readonly position: number | null };

export const statusOf = (job: FoundJob<Pick<JobRow, "status">>): JobStatus =>
  job.in === "database" && job.waits === null ? job.row.status : "queued";

export type FindJobServices = Pick<Services, "jobs" | "queuedJobs">;

/** Throws `job_not_found`, the same for a job of another owner and for one that does not exist (I8). */
export async function findJob({ jobs, queuedJobs }: FindJobServices, owner: string, id: string): Promise<FoundJob> {
  const row = await jobs.find(owner, id);
  if (row !== undefined) return asStarted({ queuedJobs }, row);
  const queued = await queuedJobs.find(owner, id);
  if (queued !== null) return { in: "queue", ...queued };
  // A job leaves the queue only after its row was written, so one that left between the two reads has a row now.
  const writtenSince = await jobs.find(owner, id);
  if (writtenSince !== undefined) return asStarted({ queuedJobs }, writtenSince);
  throw new PlatformError("job_not_found");
}

async function asStarted({ queuedJobs }: Pick<Services, "queuedJobs">, row: JobRow): Promise<FoundJob> {
  return { in: "database", row, waits: (await findWaiting(queuedJobs, [row])).get(row.id) ?? null };
}

/** Those of the rows that say running whose job waits in its queue again; none while Redis is away. */
export async function findWaiting(
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
