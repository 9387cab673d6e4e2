/** Finds a job of the caller: in the database once a worker has started it, in the queue before. */
import { isTerminal, type JobPayload, type JobStatus } from "@agent-paas/shared/contract/jobs.ts";
import type { JobRow } from "@agent-paas/shared/db/rows.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type { Services } from "../services.ts";

export type FoundJob =
  | { readonly in: "database"; readonly row: JobRow }
  | { readonly in: "queue"; readonly payload: JobPayload; readonly position: number | null };

export const statusOf = (job: FoundJob): JobStatus => (job.in === "database" ? job.row.status : "queued");

/** Throws `job_not_found`, the same for what is another's and what does not exist (I8). */
export async function findJob({ jobs, queuedJobs }: Services, owner: string, id: string): Promise<FoundJob> {
  const row = await jobs.find(owner, id);
  if (row !== undefined) return { in: "database", row };
  const queued = await queuedJobs.find(owner, id);
  if (queued !== null) return { in: "queue", ...queued };
  // Between the two looks it may have left the queue, which it does only after its row was written.
  const writtenSince = await jobs.find(owner, id);
  if (writtenSince !== undefined) return { in: "database", row: writtenSince };
  throw new PlatformError("job_not_found");
}

/** The job's row if it has ended: what followers of its events fall back to. */
export const endedRowFinder =
  ({ jobs }: Services, owner: string, id: string) =>
  async (): Promise<JobRow | null> => {
    const row = await jobs.find(owner, id);
    return row !== undefined && isTerminal(row.status) ? row : null;
  };
