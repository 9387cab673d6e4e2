/**
 * Admission: new jobs are refused before Redis is full, so that accepted jobs can still run and end. Memory is sampled
 * here. The depth of a queue is sampled too; near its limit the accept script counts it exactly.
 */
import { JOB_QUEUES, type JobQueue } from "@agent-paas/shared/contract/jobs.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type { RedisConnection } from "@agent-paas/shared/redis/connect.ts";
import type { RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { evictionProblem, type RedisMemory, readRedisMemory } from "@agent-paas/shared/redis/memory.ts";
import { SECOND } from "@agent-paas/shared/time.ts";

/** An older sample is replaced in the background: one round trip, which delays no request. */
const FRESH_FOR_MS = SECOND;
/** A request waits for the replacement of a sample older than this. */
const STALE_AFTER_MS = 5 * SECOND;
/** Shares of `maxmemory`. The memory above the second is for events, results and cancels of accepted jobs. */
const NEARLY_FULL = 0.8;
const FULL = 0.9;

/** Long, because thousands of jobs take a while; random, so that refused clients do not return at the same time. */
const retryAfterMs = () => (5 + 10 * Math.random()) * SECOND;

export const queueFull = (cause?: unknown): PlatformError =>
  new PlatformError("queue_full", { retryAfterMs: retryAfterMs(), cause });

/** For a new job while no worker can write the database. */
export const databaseOut = (): PlatformError =>
  new PlatformError("database_unavailable", {
    message: "The database cannot be written at present. Nothing was accepted; try again later.",
    retryAfterMs: retryAfterMs(),
  });

/** Whether Redis refused a command for lack of memory, also one inside a script. */
export const isOutOfMemory = (error: unknown): boolean =>
  error instanceof Error && /\bOOM command not allowed/.test(error.message);

export const isNearlyFull = (memory: RedisMemory): boolean => usage(memory) > NEARLY_FULL;

const usage = ({ usedBytes, maxBytes }: RedisMemory): number => (maxBytes === 0 ? 0 : usedBytes / maxBytes);

export type CapacitySample = {
  readonly memory: RedisMemory;
  /** Waiting and delayed jobs, by queue, with those that wait for a place in it. */
  readonly depths: Readonly<Record<JobQueue, number>>;
};

export async function sampleCapacity(redis: RedisConnection, keys: RedisKeys): Promise<CapacitySample> {
  const depthOf = async (queue: JobQueue) => {
    const counts = await Promise.all([
      redis.llen(keys.waitingJobs(queue)),
      redis.zcard(keys.delayedJobs(queue)),
      redis.zcard(keys.ownerQueues(queue)),
    ]);
    return [queue, counts.reduce((sum, count) => sum + count)] as const;
  };
  const [memory, ...depths] = await Promise.all([readRedisMemory(redis), ...JOB_QUEUES.map(depthOf)]);
  return { memory, depths: Object.fromEntries(depths) as Record<JobQueue, number> };
}

export type Capacity = {
  /** How many jobs the queue may hold for one more to be accepted: none while memory is short. */
  readonly limit: number;
  /** At least half of the limit is free, so the queue need not be counted. */
  readonly hasHeadroom: boolean;
};

export type Admission = ReturnType<typeof createAdmission>;

export type AdmissionOptions = {
  readonly sample: () => Promise<CapacitySample>;
  /** How many jobs one queue may hold. */
  readonly maxQueuedJobs: number;
};

export function createAdmission({ sample, maxQueuedJobs }: AdmissionOptions) {
  /**
   * How many jobs one process may accept without counting between two samples: 5 %, so ten processes cannot fill the
   * half that is free.
   */
  const maxUncounted = Math.floor(maxQueuedJobs / 20);
  /** `at` is by the monotonic clock: a wall clock that is set back would make an old sample fresh. */
  let latest: (CapacitySample & { readonly at: number }) | null = null;
  let sampling: Promise<CapacitySample> | null = null;
  /** Requests of this process since the last sample was begun, by queue. */
  const uncounted: Record<JobQueue, number> = { chat: 0, execute: 0, knowledge: 0 };

  async function takeSample(): Promise<CapacitySample> {
    const before = { ...uncounted };
    const taken = await sample();
    for (const queue of JOB_QUEUES) uncounted[queue] -= before[queue];
    latest = { ...taken, at: performance.now() };
    return latest;
  }

  /** A sample of at most that age, ms. A sample that is no longer fresh is used while its replacement is taken. */
  async function sampleWithin(maxAgeMs: number): Promise<CapacitySample> {
    const ageMs = latest === null ? Number.POSITIVE_INFINITY : performance.now() - latest.at;
    const isUsedUp = maxUncounted > 0 && JOB_QUEUES.some((queue) => uncounted[queue] > maxUncounted);
    if (latest !== null && ageMs <= FRESH_FOR_MS && !isUsedUp) return latest;
    sampling ??= takeSample().finally(() => {
      sampling = null;
    });
    // Callers with a recent sample ignore this failure; they await the next sample once theirs is stale.
    sampling.catch(() => {});
    return latest !== null && ageMs <= maxAgeMs ? latest : sampling;
  }

  return {
    memory: async (): Promise<RedisMemory> => (await sampleWithin(FRESH_FOR_MS)).memory,

    /** Whether a queue with these jobs takes no more. */
    isFull: ({ waiting, delayed }: { readonly waiting: number; readonly delayed: number }): boolean =>
      waiting + delayed >= maxQueuedJobs,

    /** Throws `queue_unavailable` for a Redis that evicts, because it would lose accepted jobs. */
    async capacityFor(queue: JobQueue): Promise<Capacity> {
      const { memory, depths } = await sampleWithin(STALE_AFTER_MS);
      const problem = evictionProblem(memory);
      if (problem !== null) throw new PlatformError("queue_unavailable", { message: problem });
      if (usage(memory) > FULL) return { limit: 0, hasHeadroom: false };
      uncounted[queue] += 1;
      return {
        limit: maxQueuedJobs,
        hasHeadroom: depths[queue] < maxQueuedJobs / 2 && uncounted[queue] <= maxUncounted,
      };
    },
  };
}
