/**
 * I1 for jobs that fail without their processor having ended them: stalled too often (their workers died), tries used
 * up by starts that were refused. BullMQ tells of them by the worker's `failed` event; whoever hears it ends the job.
 */
import { type JobKind, JobPayloadSchema } from "@agent-paas/shared/contract/jobs.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import type { Job, Queue } from "bullmq";
import type { JobEventPublisher } from "../events/job-event-publisher.ts";
import { NOBODY } from "../events/job-event-writer.ts";
import type { JobRepository } from "../storage/job-repository.ts";
import type { JobClaims } from "./job-claims.ts";
import { type JobEnder, type JobEnding, nothingDone } from "./job-ender.ts";

export type UnownedJobEnder = ReturnType<typeof createUnownedJobEnder>;

export function createUnownedJobEnder(
  claims: JobClaims,
  publisher: JobEventPublisher,
  jobs: JobRepository,
  ender: JobEnder,
) {
  return {
    /** Ends a job that no worker runs, with an attempt of its own. False: somebody claimed it first, or it has ended. */
    async end(job: Job, ending: JobEnding): Promise<boolean> {
      const payload = JobPayloadSchema.parse(job.data);
      const attempt = job.attemptsStarted + 1;
      const claim = await claims.claim(payload.job_id, attempt);
      if (claim.kind !== "claimed") return false;
      const writer = publisher.open(payload.job_id, attempt, claim.seq, NOBODY);
      const started = await jobs.start(payload, attempt);
      if (started.kind === "stale") return false;
      if (started.kind === "ended") await ender.tellAgain(payload, writer, started.row);
      else {
        // Nothing is kept of what earlier attempts said, so nothing of it is to be shown.
        if (claim.begunBefore) writer.append({ event: "message", data: { content: "", type: "reset" } });
        await ender.end(payload, writer, ending);
      }
      return true;
    },
  };
}

/** The listener for a BullMQ worker's `failed` event. */
export function createFailedListener(unowned: UnownedJobEnder, logger: Logger) {
  return (job: Job | undefined, error: Error): void => {
    // Without `finishedOn` it will be tried again.
    if (job?.finishedOn === undefined) return;
    const ending = { status: "failed", error: new PlatformError("worker_lost"), ...nothingDone } as const;
    unowned.end(job, ending).then(
      (ended) => ended && logger.error({ job_id: job.id, reason: error.message }, "job ended without its processor"),
      (err: unknown) => logger.error({ err, job_id: job.id }, "a failed job could not be ended"),
    );
  };
}

/** The listener for a BullMQ worker's `stalled` event, which knows no more than the id. */
export function createStalledListener(queues: Record<JobKind, Queue>, logger: Logger) {
  return (kind: JobKind) =>
    (jobId: string): void => {
      const tell = (job: Job | undefined) =>
        logger.warn({ job_id: jobId, request_id: job?.data?.request_id }, "job lost its worker and will start again");
      queues[kind].getJob(jobId).then(tell, () => tell(undefined));
    };
}
