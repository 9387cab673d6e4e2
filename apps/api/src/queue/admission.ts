/**
 * Admission: new jobs are refused before Redis is full, so that accepted jobs can still run and end. Memory is sampled
 * here; the accept script counts the queue.
 */
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { evictionProblem, memoryUsage, type RedisMemory } from "@agent-paas/shared/redis/memory.ts";
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

export const isNearlyFull = (memory: RedisMemory): boolean => memoryUsage(memory) > NEARLY_FULL;

export type Capacity = {
  /** How many jobs the queue may hold for one more to be accepted: none while memory is short. */
  readonly limit: number;
  /** That of Redis, bytes; 0: no limit is set. */
  readonly maxMemoryBytes: number;
};

export type Admission = ReturnType<typeof createAdmission>;

export type AdmissionOptions = {
  readonly sample: () => Promise<RedisMemory>;
  /** How many jobs one queue may hold. */
  readonly maxQueuedJobs: number;
};

export function createAdmission({ sample, maxQueuedJobs }: AdmissionOptions) {
  /** `at` is by the monotonic clock: a wall clock that is set back would make an old sample fresh. */
  let latest: { readonly memory: RedisMemory; readonly at: number } | null = null;
  let sampling: Promise<RedisMemory> | null = null;

  async function takeSample(): Promise<RedisMemory> {
    const memory = await sample();
    latest = { memory, at: performance.now() };
    return memory;
  }

  /** A sample of at most that age, ms. A sample that is no longer fresh is used while its replacement is taken. */
  async function sampleWithin(maxAgeMs: number): Promise<RedisMemory> {
    const ageMs = latest === null ? Number.POSITIVE_INFINITY : performance.now() - latest.at;
    if (latest !== null && ageMs <= FRESH_FOR_MS) return latest.memory;
    sampling ??= takeSample().finally(() => {
      sampling = null;
    });
    // Callers with a recent sample ignore this failure; they await the next sample once theirs is stale.
    sampling.catch(() => {});
    return latest !== null && ageMs <= maxAgeMs ? latest.memory : sampling;
  }

  return {
    memory: (): Promise<RedisMemory> => sampleWithin(FRESH_FOR_MS),

    /** Whether a queue with these jobs takes no more. */
    isFull: ({ waiting, delayed }: { readonly waiting: number; readonly delayed: number }): boolean =>
      waiting + delayed >= maxQueuedJobs,

    /** Throws `queue_unavailable` for a Redis that evicts, because it would lose accepted jobs. */
    async capacity(): Promise<Capacity> {
      const memory = await sampleWithin(STALE_AFTER_MS);
      const problem = evictionProblem(memory);
      if (problem !== null) throw new PlatformError("queue_unavailable", { message: problem });
      return { limit: memoryUsage(memory) > FULL ? 0 : maxQueuedJobs, maxMemoryBytes: memory.maxBytes };
    },
  };
}
