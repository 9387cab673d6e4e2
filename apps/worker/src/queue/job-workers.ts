/** The BullMQ workers of this process, one per queue: how they start and stop. */
import { JOB_QUEUES, type JobQueue, MAINTENANCE_QUEUE } from "@agent-paas/shared/contract/jobs.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import { logRepeatedly } from "@agent-paas/shared/logging/repeated-warnings.ts";
import type { RedisConnection } from "@agent-paas/shared/redis/connect.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import type { Job } from "bullmq";
import type { HeldLocks } from "../job/held-locks.ts";
import { createLease, type LeaseProcessor } from "../job/lease.ts";
import { RetryLater, retryDelayMs } from "../job/retry-delay.ts";
import type { RunningJobs } from "../job/running-jobs.ts";
import { LOCK_DURATION_MS, type LockedQueue, type WorkerLocks } from "../job/worker-locks.ts";
import { BriefWorker } from "./brief-worker.ts";

/** All workers share one check per interval; a dead worker's jobs need not wait for it (`recovery/dead-workers.ts`). */
const STALLED_INTERVAL_MS = 2 * SECOND;
/**
 * How often a job may lose its lock before BullMQ fails it. `poison-jobs.ts`, which distinguishes crashed workers from
 * outages, fails a job much earlier. This limit only applies if Redis has lost the counters of `poison-jobs.ts`.
 */
const MAX_STALLED_COUNT = 100;

const MAINTENANCE_CONCURRENCY = 4;

/** How long a process that stops waits until its requeued jobs are in their queues. */
const REQUEUE_WITHIN_MS = 2 * SECOND;

export type JobWorkersOptions = {
  readonly redis: RedisConnection;
  readonly prefix: string;
  readonly name: string;
  /** `all`: how many jobs of the queue this process runs at once. */
  readonly slots: Record<JobQueue, { readonly all: number }>;
  readonly processors: Record<JobQueue, LeaseProcessor>;
  readonly maintenance: (job: Job) => Promise<void>;
  readonly onFailed: (queue: JobQueue) => (job: Job | undefined, error: Error) => void;
  readonly running: Pick<RunningJobs, "ids" | "abortAll">;
  readonly heldLocks: Pick<HeldLocks, "during">;
  /** Asked for every job before it starts; one that may not goes back to its queue. */
  readonly mayStart: () => boolean;
  readonly logger: Logger;
};

export type JobWorkers = {
  readonly locks: WorkerLocks;
  /** Has the queue's jobs whose locks were taken away start again. */
  restartStalled(queue: LockedQueue): Promise<void>;
  /** Starts taking jobs. Resolves when the connections are ready. */
  start(): Promise<void>;
  /** Stops taking jobs, waits up to `graceMs` for the running ones, and requeues those that have not ended. */
  stop(graceMs: number): Promise<void>;
};

export function createJobWorkers(options: JobWorkersOptions): JobWorkers {
  const { redis, prefix, name, slots, processors, maintenance, onFailed, running, heldLocks, mayStart, logger } =
    options;
  const common = {
    connection: redis,
    prefix,
    name,
    autorun: false,
    lockDuration: LOCK_DURATION_MS,
    // The thread beside this one does it, for however long this one is busy with thousands of starts.
    skipLockRenewal: true,
    stalledInterval: STALLED_INTERVAL_MS,
    maxStalledCount: MAX_STALLED_COUNT,
    settings: {
      backoffStrategy: (retriesUsed: number, _type?: string, error?: Error) =>
        error instanceof RetryLater ? error.delayMs : retryDelayMs(retriesUsed, error),
    },
  };
  let stopping = false;
  /** A fetch that began before the stop may still return a job. */
  const unlessStopping =
    (queue: LockedQueue, start: (job: Job, lockToken: string) => Promise<void>) =>
    (job: Job, token = ""): Promise<void> =>
      stopping || !mayStart()
        ? createLease(job, token).requeue()
        : heldLocks.during({ queue, jobId: job.id ?? "", token }, () => start(job, token));
  const jobWorkers = JOB_QUEUES.map((queue) => {
    const start = (job: Job, lockToken: string) => processors[queue](createLease(job, lockToken));
    const worker = new BriefWorker(queue, unlessStopping(queue, start), { ...common, concurrency: slots[queue].all });
    worker.on("failed", onFailed(queue));
    worker.on("stalled", (jobId) => logger.warn({ job_id: jobId }, "job lost its worker and will start again"));
    return [queue, worker] as const;
  });
  const maintenanceWorker = new BriefWorker(MAINTENANCE_QUEUE, unlessStopping(MAINTENANCE_QUEUE, maintenance), {
    ...common,
    concurrency: MAINTENANCE_CONCURRENCY,
  });
  maintenanceWorker.on("failed", (action, err) => {
    if (action?.finishedOn !== undefined) logger.error({ err, action: action.data }, "maintenance action given up");
  });
  const byQueue = new Map<LockedQueue, BriefWorker>([...jobWorkers, [MAINTENANCE_QUEUE, maintenanceWorker]]);
  const workers = [...byQueue.values()];
  for (const worker of workers) {
    worker.on("error", (err) => logRepeatedly(logger, "warn", { err, queue: worker.name }, "queue worker error"));
  }

  return {
    locks: Object.fromEntries([...byQueue].map(([queue, { id }]) => [queue, id])),
    restartStalled: async (queue) => byQueue.get(queue)?.restartStalled(),
    async start() {
      for (const worker of workers) {
        worker.run().catch((err: unknown) => logger.error({ err, queue: worker.name }, "queue worker stopped"));
      }
      await Promise.all(workers.map((worker) => worker.waitUntilReady()));
    },
    async stop(graceMs) {
      stopping = true;
      // `close` ends the blocking fetch at once, then waits for the jobs. `pause` would let the fetch return a job.
      const closed = Promise.all(workers.map((worker) => worker.close()));
      await settledWithin(graceMs, closed);
      const jobs = running.ids().length;
      if (jobs > 0) logger.info({ jobs }, "requeueing running jobs");
      running.abortAll("shutdown");
      // The locks of jobs that still have not ended are given up with the last heartbeat.
      await settledWithin(REQUEUE_WITHIN_MS, closed);
    },
  };
}

/** Waits for the promise, but at most `ms` milliseconds. */
async function settledWithin(ms: number, wait: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([wait, new Promise((resolve) => (timer = setTimeout(resolve, ms)))]);
  clearTimeout(timer);
}
