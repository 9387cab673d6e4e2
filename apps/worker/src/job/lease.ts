/**
 * This worker's hold on one BullMQ job. The only place that knows lock tokens, and the errors by which a processor
 * tells BullMQ that it has moved the job elsewhere.
 */
import { DelayedError, type Job, WaitingError } from "bullmq";

export type Lease = {
  readonly jobId: string;
  /** As it was queued; not checked yet. */
  readonly payload: unknown;
  /** BullMQ's count of starts, which rises strictly: the number that fences all writes (I4). */
  readonly fencingToken: number;
  /** How many starts have failed and counted as retries. */
  readonly retriesUsed: number;
  /** Whether BullMQ would start the job again after a failure. */
  readonly retriesLeft: boolean;
  /** How the job was queued, JSON. */
  readonly options: string;
  /** Delays the job; no retry is used up. `afterDelay` runs when it is delayed. Always throws. */
  delay(ms: number, afterDelay?: () => Promise<void>): Promise<never>;
  /** Gives the job back to its queue for another worker to take at once; no retry is used up. Always throws. */
  requeue(): Promise<never>;
};

export type LeaseProcessor = (lease: Lease) => Promise<void>;

export const createLease = (job: Job, lockToken: string): Lease => ({
  jobId: job.id ?? "",
  payload: job.data,
  fencingToken: job.attemptsStarted,
  retriesUsed: job.attemptsMade,
  retriesLeft: job.attemptsMade + 1 < (job.opts.attempts ?? 1),
  options: JSON.stringify(job.opts),
  async delay(ms, afterDelay) {
    await job.moveToDelayed(Date.now() + ms, lockToken);
    await afterDelay?.();
    throw new DelayedError();
  },
  async requeue() {
    await job.moveToWait(lockToken);
    throw new WaitingError();
  },
});
