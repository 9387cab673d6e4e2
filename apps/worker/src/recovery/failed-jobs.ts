/**
 * I1 for jobs that fail in the queue without their processor having finalized them: stalled too often (their workers
 * died), retries used up, a payload that cannot be read. BullMQ reports such a failure once, by the worker's `failed`
 * event, to a process that may die the next moment. So the listener only enqueues the finalization, in the
 * `maintenance` queue with retries of its own; and the reaper's sweep enqueues it for every failed job that it finds.
 */
import type { JobQueue, MaintenancePayload } from "@agent-paas/shared/contract/jobs.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import type { Job, JobsOptions, Queue } from "bullmq";
import type { JobClaims } from "../job/job-claims.ts";
import type { JobQueues } from "../job/job-queues.ts";
import { RetryLater } from "../job/retry-delay.ts";
import type { OrphanedJobRepository } from "../storage/orphaned-job-repository.ts";

/** Failed jobs that a sweep reads, the newest of each queue. */
const SWEEP_LIMIT = 500;

const FINALIZE_OPTIONS: JobsOptions = {
  attempts: 20,
  backoff: { type: "custom" },
  removeOnComplete: true,
  // The next sweep enqueues it anew, which a failed entry with the same id would prevent.
  removeOnFail: true,
};

export type FailedJobsDeps = {
  readonly queues: JobQueues;
  readonly maintenance: Queue;
  readonly claims: JobClaims;
  readonly rows: OrphanedJobRepository;
  readonly logger: Logger;
};

export type FailedJobs = ReturnType<typeof createFailedJobs>;

export function createFailedJobs({ queues, maintenance, claims, rows, logger }: FailedJobsDeps) {
  async function enqueueFinalization(queue: JobQueue, jobId: string): Promise<void> {
    const payload: MaintenancePayload = { action: "end_failed_job", job_id: jobId, queue };
    await maintenance.add(payload.action, payload, { ...FINALIZE_OPTIONS, jobId: `failed-${jobId}` });
  }

  /** Failed jobs without a published end: no `ended` flag in Redis and no terminal row in the database. */
  async function withoutEnd(jobIds: readonly string[]): Promise<string[]> {
    const ends = await Promise.all(jobIds.map((jobId) => claims.endPublication(jobId)));
    const endedRows = await rows.ended(jobIds.filter((_, at) => ends[at] === "unknown"));
    return jobIds.filter((jobId, at) => ends[at] !== "published" && !endedRows.includes(jobId));
  }

  return {
    /** The listener for the `failed` event of a queue's worker. */
    listener:
      (queue: JobQueue) =>
      (job: Job | undefined, error: Error): void => {
        if (job?.id === undefined) return;
        const fields = { job_id: job.id, request_id: job.data?.request_id };
        if (job.finishedOn === undefined) {
          // BullMQ will start it again; the processor has logged why, unless it failed before it could.
          if (!(error instanceof RetryLater)) logger.warn({ err: error, ...fields }, "job could not be started");
          return;
        }
        logger.error({ ...fields, reason: error.message }, "job failed without its processor");
        enqueueFinalization(queue, job.id).catch((err: unknown) =>
          logger.error({ err, ...fields }, "the job's finalization was not enqueued"),
        );
      },

    /** Enqueues the finalization of failed jobs whose listener died before it could. */
    async sweep(): Promise<void> {
      for (const [name, queue] of Object.entries(queues) as [JobQueue, Queue][]) {
        const failed = await queue.getRanges(["failed"], 0, SWEEP_LIMIT - 1);
        for (const jobId of await withoutEnd(failed)) await enqueueFinalization(name, jobId);
      }
    },
  };
}
