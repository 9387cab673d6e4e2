/**
 * Admission: new jobs are refused before Redis is full, so that those accepted find room to run and to end. The depth of
 * the queue is counted by the accept script, where it may be too much; the memory of Redis is read here.
 */
import { JOB_KINDS, type JobKind } from "@agent-paas/shared/contract/jobs.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type { RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { evictionProblem, type RedisMemory, readRedisMemory } from "@agent-paas/shared/redis/memory.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import type { Redis } from "ioredis";

/** From this age on, or when many were accepted since, a figure is read again: one round trip, for which nobody waits. */
const FRESH_FOR_MS = SECOND;
/** From this age on it is waited for. */
const STALE_AFTER_MS = 5 * SECOND;
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

/** What is known of Redis, `at` a time. */
type Look = {
  readonly memory: RedisMemory;
  /** Jobs that wait, by queue. */
  readonly depths: Readonly<Record<JobKind, number>>;
  readonly at: number;
};

export type Room = {
  /** How many jobs may wait for one more to be accepted: none while memory is short. */
  readonly limit: number;
  /** So few wait that they need not be counted. */
  readonly isAmple: boolean;
};

/** @param maxQueuedJobs how many jobs of one queue may wait. */
export function createAdmission(redis: Redis, keys: RedisKeys, maxQueuedJobs: number) {
  /** Between two looks, and by each process: ten of them do not fill the half that is left. */
  const mostUncounted = Math.floor(maxQueuedJobs / 20);
  let known: Look | null = null;
  let looking: Promise<Look> | null = null;
  /** Asked for here since the last look began, by queue. */
  const asked: Record<JobKind, number> = { chat: 0, execute: 0 };

  const depthOf = async (kind: JobKind): Promise<number> => {
    const [waiting, delayed] = await Promise.all([
      redis.llen(keys.waitingJobs(kind)),
      redis.zcard(keys.delayedJobs(kind)),
    ]);
    return waiting + delayed;
  };

  async function look(): Promise<Look> {
    const before = { ...asked };
    const [memory, chat, execute] = await Promise.all([readRedisMemory(redis), depthOf("chat"), depthOf("execute")]);
    for (const kind of JOB_KINDS) asked[kind] -= before[kind];
    known = { memory, depths: { chat, execute }, at: Date.now() };
    return known;
  }

  /** A look of at most that age, in ms; one that is older than need be is on its way to be replaced. */
  async function latest(maxAgeMs: number): Promise<Look> {
    const ageMs = known === null ? Number.POSITIVE_INFINITY : Date.now() - known.at;
    const isUsedUp = mostUncounted > 0 && JOB_KINDS.some((kind) => asked[kind] > mostUncounted);
    if (known !== null && ageMs <= FRESH_FOR_MS && !isUsedUp) return known;
    looking ??= look().finally(() => {
      looking = null;
    });
    // Who does not wait for it asks again soon, and waits when it has failed for long.
    looking.catch(() => {});
    return known !== null && ageMs <= maxAgeMs ? known : looking;
  }

  return {
    maxQueuedJobs,

    memory: async (): Promise<RedisMemory> => (await latest(FRESH_FOR_MS)).memory,

    /** Throws for a Redis that evicts. */
    async room(kind: JobKind): Promise<Room> {
      const { memory, depths } = await latest(STALE_AFTER_MS);
      const problem = evictionProblem(memory);
      if (problem !== null) throw new PlatformError("queue_unavailable", { message: problem });
      if (usage(memory) > FULL) return { limit: 0, isAmple: false };
      asked[kind] += 1;
      return { limit: maxQueuedJobs, isAmple: depths[kind] < maxQueuedJobs / 2 && asked[kind] <= mostUncounted };
    },
  };
}
