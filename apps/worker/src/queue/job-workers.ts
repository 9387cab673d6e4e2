/** The BullMQ workers of this process, one per queue, and how they stop. */
import { JOB_KINDS, type JobKind, MAINTENANCE_QUEUE } from "@agent-paas/shared/contract/jobs.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import type { RedisConnection } from "@agent-paas/shared/redis/connect.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import { type Job, Worker } from "bullmq";
import { createLease, type LeaseProcessor } from "../job/lease.ts";
import { RetryLater, retryDelayMs } from "../job/retry-delay.ts";
import type { RunningJobs } from "../job/running-jobs.ts";

/**
 * A killed worker's jobs start again within lock duration + twice the check interval, 25 s with the start itself: all
 * workers share one check per interval, and a check that comes a moment too early leaves a job to the next. Shorter locks
 * would take jobs from workers whose event loop is merely busy.
 */
const LOCK_DURATION_MS = 20 * SECOND;
const STALLED_INTERVAL_MS = 2 * SECOND;
/** Often enough that a worker that is busy for seconds on end, as one that begins thousands of jobs, keeps its locks. */
const LOCK_RENEWAL_MS = 5 * SECOND;
/**
 * How often a job may lose its lock. Far above the bound of `poison-jobs.ts`, which tells dead workers from outages; this
 * one holds when Redis has lost the counts behind that.
 */
const MAX_STALLED_COUNT = 100;

const MAINTENANCE_CONCURRENCY = 4;

/** How long requeued jobs may take to reach the queue when the process stops. */
const REQUEUE_WITHIN_MS = 2 * SECOND;

export type JobWorkersOptions = {
  readonly redis: RedisConnection;
  readonly prefix: string;
  readonly name: string;
  readonly concurrency: Record<JobKind, number>;
  readonly processors: Record<JobKind, LeaseProcessor>;
  readonly maintenance: (job: Job) => Promise<void>;
  readonly onFailed: (kind: JobKind) => (job: Job | undefined, error: Error) => void;
  readonly running: RunningJobs;
  readonly logger: Logger;
};

export type JobWorkers = {
  /** Starts taking jobs; resolves when the connections stand. */
  start(): Promise<void>;
  /** Takes no new job; waits `graceMs` for the running ones, then requeues them. */
  stop(graceMs: number): Promise<void>;
};

export function createJobWorkers(options: JobWorkersOptions): JobWorkers {
  const { redis, prefix, name, concurrency, processors, maintenance, onFailed, running, logger } = options;
  const common = {
    connection: redis,
    prefix,
    name,
    autorun: false,
    lockDuration: LOCK_DURATION_MS,
    lockRenewTime: LOCK_RENEWAL_MS,
    stalledInterval: STALLED_INTERVAL_MS,
    maxStalledCount: MAX_STALLED_COUNT,
    settings: {
      backoffStrategy: (triesMade: number, _type?: string, error?: Error) =>
        error instanceof RetryLater ? error.delayMs : retryDelayMs(triesMade, error),
    },
  };
  let stopping = false;
  const jobWorkers = JOB_KINDS.map((kind) => {
    const process = (job: Job, lockToken?: string): Promise<void> => {
      const lease = createLease(job, lockToken ?? "");
      // A fetch that was under way when the stop began may still bring a job.
      return stopping ? lease.requeue() : processors[kind](lease);
    };
    const worker = new Worker(kind, process, { ...common, concurrency: concurrency[kind] });
    worker.on("failed", onFailed(kind));
    worker.on("lockRenewalFailed", (jobIds) => {
      for (const jobId of jobIds) running.abort(jobId, "superseded");
    });
    worker.on("stalled", (jobId) => logger.warn({ job_id: jobId }, "job lost its worker and will start again"));
    return worker;
  });
  const workers = [
    ...jobWorkers,
    new Worker(MAINTENANCE_QUEUE, maintenance, { ...common, concurrency: MAINTENANCE_CONCURRENCY }),
  ];
  for (const worker of workers) {
    worker.on("error", (err) => logger.warn({ err, queue: worker.name }, "queue worker error"));
  }

  return {
    async start() {
      for (const worker of workers) {
        worker.run().catch((err: unknown) => logger.error({ err, queue: worker.name }, "queue worker stopped"));
      }
      await Promise.all(workers.map((worker) => worker.waitUntilReady()));
    },
    async stop(graceMs) {
      stopping = true;
      // Closing ends the blocking fetch at once, where pausing lets it bring one more job; then it waits for the jobs.
      const closed = Promise.all(workers.map((worker) => worker.close()));
      await within(graceMs, closed);
      const jobs = running.ids().length;
      if (jobs > 0) logger.info({ jobs }, "requeueing running jobs");
      running.abortAll("shutdown");
      // A job that does not end even now is started by another worker when its lock expires.
      await within(REQUEUE_WITHIN_MS, closed);
    },
  };
}

async function within(ms: number, wait: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([wait, new Promise((resolve) => (timer = setTimeout(resolve, ms)))]);
  clearTimeout(timer);
}
