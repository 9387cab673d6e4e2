/**
 * BullMQ's locks of one worker. A thread beside it renews them (`control/thread-beats.ts`), and others take them away
 * when it is dead: BullMQ's token of a lock begins with the id of the BullMQ worker that holds it, so they need no list
 * of its jobs.
 */
import { chunksOf } from "@agent-paas/shared/chunks-of.ts";
import type { JobQueue, MAINTENANCE_QUEUE } from "@agent-paas/shared/contract/jobs.ts";
import type { RedisConnection } from "@agent-paas/shared/redis/connect.ts";
import type { RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { defineScript } from "@agent-paas/shared/redis/script.ts";
import { SECOND } from "@agent-paas/shared/time.ts";

/**
 * The net below the heartbeats: what nobody has taken over starts again when the lock expires. Long, because a lock
 * says nothing that a heartbeat does not say sooner.
 */
export const LOCK_DURATION_MS = 20 * SECOND;

export type LockedQueue = JobQueue | typeof MAINTENANCE_QUEUE;

export type JobLock = { readonly queue: LockedQueue; readonly jobId: string; readonly token: string };

/** By queue: how the tokens of a worker's locks begin. */
export type WorkerLocks = Readonly<Partial<Record<LockedQueue, string>>>;

/** Lua: calls `visit` with the id and the lock's key of each job that the worker holds; returns how many there are. */
const EACH_LOCK = `
local function eachLock(visit)
  local count = 0
  for _, id in ipairs(redis.call('LRANGE', active, 0, -1)) do
    local lock = job_prefix .. id .. ':lock'
    local token = redis.call('GET', lock)
    if token and string.sub(token, 1, #holder + 1) == holder .. ':' then
      count = count + 1
      if visit then visit(id, lock) end
    end
  end
  return count
end
`;

const KEYS = ["active", "stalled"] as const;
const ARGS = ["holder", "job_prefix"] as const;

/** A larger call would block Redis for its other clients for milliseconds. */
const LOCKS_PER_CALL = 256;

/**
 * `rest`: the jobs' ids and tokens in turn. A job that has its lock is not counted as stalled. Returns the ids of those
 * whose locks are lost.
 */
const RENEW_SCRIPT = defineScript<string[]>()({
  name: "renewLocks",
  keys: ["stalled"],
  args: ["job_prefix", "ms"],
  lua: `
local kept, lost = {}, {}
for at = rest_from, #ARGV, 2 do
  local lock = job_prefix .. ARGV[at] .. ':lock'
  local is_kept = redis.call('GET', lock) == ARGV[at + 1]
  if is_kept then redis.call('PEXPIRE', lock, ms) end
  table.insert(is_kept and kept or lost, ARGV[at])
end
if #kept > 0 then redis.call('SREM', stalled, unpack(kept)) end
return lost
`,
});

/**
 * Deletes the locks and has BullMQ's next check, which may be now, find their jobs stalled. Returns -1 without touching
 * anything if the worker's record does not say any more that it has given its locks up.
 */
const RELEASE_SCRIPT = defineScript<number>()({
  name: "releaseWorkerLocks",
  keys: [...KEYS, "stalled_check", "workers"],
  args: [...ARGS, "worker_id", "given_up"],
  lua: `${EACH_LOCK}
local record = redis.call('HGET', workers, worker_id)
if not record or string.match(record, '^%d+') ~= given_up then return -1 end
local count = eachLock(function(id, lock)
  redis.call('DEL', lock)
  redis.call('SADD', stalled, id)
end)
if count > 0 then redis.call('DEL', stalled_check) end
return count
`,
});

const COUNT_SCRIPT = defineScript<number>()({
  name: "countWorkerLocks",
  keys: KEYS,
  args: ARGS,
  lua: `${EACH_LOCK} return eachLock()`,
});

export const queuesOf = (locks: WorkerLocks) => Object.entries(locks) as [LockedQueue, string][];

export function createWorkerLocks(redis: RedisConnection, keys: RedisKeys) {
  const renewLocks = RENEW_SCRIPT.on(redis);
  const releaseLocks = RELEASE_SCRIPT.on(redis);
  const countLocks = COUNT_SCRIPT.on(redis);
  const valuesOf = (queue: LockedQueue, holder: string) => ({
    active: keys.activeJobs(queue),
    stalled: keys.stalledJobs(queue),
    holder,
    job_prefix: keys.queuedJob(queue, ""),
  });

  return {
    /** Returns the locks that are lost. */
    async renew(locks: readonly JobLock[]): Promise<JobLock[]> {
      const byQueue = Map.groupBy(locks, ({ queue }) => queue);
      const calls = [...byQueue].flatMap(([queue, all]) =>
        chunksOf(all, LOCKS_PER_CALL).map((some) => [queue, some] as const),
      );
      const replies = await Promise.all(
        calls.map(async ([queue, some]) => {
          const lost = new Set(
            await renewLocks({
              stalled: keys.stalledJobs(queue),
              job_prefix: keys.queuedJob(queue, ""),
              ms: LOCK_DURATION_MS,
              rest: some.flatMap(({ jobId, token }) => [jobId, token]),
            }),
          );
          return some.filter(({ jobId }) => lost.has(jobId));
        }),
      );
      return replies.flat();
    },

    /** Takes the locks of one queue away from a worker whose record has the time `givenUp`. Null: it lives. */
    async release(queue: LockedQueue, holder: string, workerId: string, givenUp: string): Promise<number | null> {
      const released = await releaseLocks({
        ...valuesOf(queue, holder),
        stalled_check: keys.stalledCheck(queue),
        workers: keys.workers,
        worker_id: workerId,
        given_up: givenUp,
      });
      return released < 0 ? null : released;
    },

    async count(locks: WorkerLocks): Promise<number> {
      const counts = await Promise.all(queuesOf(locks).map(([queue, holder]) => countLocks(valuesOf(queue, holder))));
      return counts.reduce((sum, count) => sum + count, 0);
    },
  };
}
