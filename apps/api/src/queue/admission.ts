/**
 * Admission: new jobs are refused before Redis is full, so that those accepted find room to run and to end. The depth of
 * the queue is counted by the accept script; the memory of Redis is read here.
 */
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { evictionProblem, type RedisMemory, readRedisMemory } from "@agent-paas/shared/redis/memory.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import type { Redis } from "ioredis";

/** Requests see a figure of at most this age; it costs one command a second, however many ask. */
const FRESH_FOR_MS = SECOND;
/** Shares of `maxmemory`. What is above the second is for the events, results and cancels of jobs accepted before. */
const NEARLY_FULL = 0.8;
const FULL = 0.9;

/** A queue of thousands takes a while; spread, so that those refused together do not come back together. */
const retryAfterMs = () => (5 + 10 * Math.random()) * SECOND;

export const queueFull = (cause?: unknown): PlatformError =>
  new PlatformError("queue_full", { retryAfterMs: retryAfterMs(), cause });

/** What Redis answers to a command that needs memory, also from within a script. */
export const isOutOfMemory = (error: unknown): boolean =>
  error instanceof Error && /\bOOM command not allowed/.test(error.message);

export const isNearlyFull = (memory: RedisMemory): boolean => usage(memory) > NEARLY_FULL;

const usage = ({ usedBytes, maxBytes }: RedisMemory): number => (maxBytes === 0 ? 0 : usedBytes / maxBytes);

export type Admission = ReturnType<typeof createAdmission>;

/** @param maxQueuedJobs how many jobs of one queue may wait. */
export function createAdmission(redis: Redis, maxQueuedJobs: number) {
  let known: { memory: RedisMemory; at: number } | null = null;
  let reading: Promise<RedisMemory> | null = null;

  async function read(): Promise<RedisMemory> {
    const memory = await readRedisMemory(redis);
    known = { memory, at: Date.now() };
    return memory;
  }

  async function memory(): Promise<RedisMemory> {
    if (known !== null && Date.now() - known.at < FRESH_FOR_MS) return known.memory;
    reading ??= read().finally(() => {
      reading = null;
    });
    return reading;
  }

  return {
    memory,
    maxQueuedJobs,

    /** How many jobs may wait for one more to be accepted: none while memory is short. Throws for a Redis that evicts. */
    async limit(): Promise<number> {
      const now = await memory();
      const problem = evictionProblem(now);
      if (problem !== null) throw new PlatformError("queue_unavailable", { message: problem });
      return usage(now) > FULL ? 0 : maxQueuedJobs;
    },
  };
}
