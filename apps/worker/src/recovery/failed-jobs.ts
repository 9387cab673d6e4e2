/**
 * I1 for jobs that fail in the queue without their processor having ended them: stalled too often (their workers died),
 * tries used up, a payload that cannot be read. BullMQ tells of them by the worker's `failed` event, once, to a process
 * that may die the next moment. So the event only orders the end, through the `maintenance` queue and its retries; and the
 * reaper orders it for all that it finds.
 */
import { FAILED_JOB_TTL_SECONDS, type JobKind, type MaintenancePayload } from "@agent-paas/shared/contract/jobs.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import type { Job, JobsOptions, Queue } from "bullmq";
import type { JobClaims } from "../job/job-claims.ts";
import { RetryLater } from "../job/retry-delay.ts";
import type { OrphanedJobRepository } from "../storage/orphaned-job-repository.ts";

/** Failed jobs that a sweep looks at, the newest of each queue. */
const SWEEP_LIMIT = 500;

const ORDER_OPTIONS: JobsOptions = {
  attempts: 20,
  backoff: { type: "custom" },
  removeOnComplete: true,
  removeOnFail: { age: FAILED_JOB_TTL_SECONDS },
};

export type FailedJobs = ReturnType<typeof createFailedJobs>;

export function createFailedJobs(
  queues: Record<JobKind, Queue>,
  maintenance: Queue,
  claims: JobClaims,
  rows: OrphanedJobRepository,
  logger: Logger,
) {
  async function orderEnd(kind: JobKind, jobId: string): Promise<void> {
    const payload: MaintenancePayload = { task: "end_failed_job", job_id: jobId, kind };
    await maintenance.add(payload.task, payload, { ...ORDER_OPTIONS, jobId: `failed-${jobId}` });
  }

  /** Those whose end is still to be told: Redis does not know of it, and it is no old one that Redis has forgotten. */
  async function withoutEnd(jobIds: readonly string[]): Promise<string[]> {
    const ends = await Promise.all(jobIds.map((jobId) => claims.endPublication(jobId)));
    const forgotten = await rows.ended(jobIds.filter((_, at) => ends[at] === "unknown"));
    return jobIds.filter((jobId, at) => ends[at] !== "published" && !forgotten.includes(jobId));
  }

  return {
    /** The listener for the `failed` event of a queue's worker. */
    listener:
      (kind: JobKind) =>
      (job: Job | undefined, error: Error): void => {
        if (job?.id === undefined) return;
        const fields = { job_id: job.id, request_id: job.data?.request_id };
        if (job.finishedOn === undefined) {
          // It will be tried again; the processor has told why, unless it did not come so far.
          if (!(error instanceof RetryLater)) logger.warn({ err: error, ...fields }, "job could not be started");
          return;
        }
        logger.error({ ...fields, reason: error.message }, "job failed without its processor");
        orderEnd(kind, job.id).catch((err: unknown) => logger.error({ err, ...fields }, "its end was not ordered"));
      },

    /** Orders the end of failed jobs whose end was never told: whoever heard of them died before it could. */
    async sweep(): Promise<void> {
      for (const [kind, queue] of Object.entries(queues) as [JobKind, Queue][]) {
        const failed = await queue.getRanges(["failed"], 0, SWEEP_LIMIT - 1);
        for (const jobId of await withoutEnd(failed)) await orderEnd(kind, jobId);
      }
    },
  };
}
