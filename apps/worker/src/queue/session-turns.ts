/**
 * I6: the jobs of one session run one at a time, in the order accepted. The API appends each job to its session's list
 * of turns; only the head may run. A worker that takes another job parks it; whoever ends the head wakes the next.
 *
 * Crash-safe without polling: a parked job wakes by itself after a while and looks again, which also clears heads that
 * are no jobs any more (an API that died between the list and the queue, a worker that died before it woke the next).
 */
import type { JobKind, JobPayload } from "@agent-paas/shared/contract/jobs.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import type { RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import { DelayedError, type Job, type Queue } from "bullmq";
import type { Redis } from "ioredis";

/** When a parked job looks again by itself. */
const LOOK_AGAIN_MS = 5 * SECOND;

/**
 * KEYS: turns. ARGV: own entry, '1' to clear dead heads, prefix of BullMQ's job keys. Returns how many jobs come first;
 * 0 also when the list is gone.
 */
const JOBS_AHEAD_SCRIPT = `
while true do
  local head = redis.call('LINDEX', KEYS[1], 0)
  if not head or head == ARGV[1] then return 0 end
  local queued = ARGV[3] .. ':' .. head
  local alive = redis.call('EXISTS', queued) == 1 and redis.call('HEXISTS', queued, 'finishedOn') == 0
  if alive or ARGV[2] ~= '1' then return redis.call('LPOS', KEYS[1], ARGV[1]) or redis.call('LLEN', KEYS[1]) end
  redis.call('LPOP', KEYS[1])
end
`;

/** KEYS: turns. ARGV: own entry. Removes it and returns the next head. */
const RELEASE_SCRIPT = `
redis.call('LREM', KEYS[1], 1, ARGV[1])
return redis.call('LINDEX', KEYS[1], 0)
`;

type Commands = {
  countJobsAhead(key: string, entry: string, clearDead: string, prefix: string): Promise<number>;
  releaseTurn(key: string, entry: string): Promise<string | null>;
};

export type SessionTurns = ReturnType<typeof createSessionTurns>;

export function createSessionTurns(redis: Redis, keys: RedisKeys, queues: Record<JobKind, Queue>, logger: Logger) {
  redis.defineCommand("countJobsAhead", { numberOfKeys: 1, lua: JOBS_AHEAD_SCRIPT });
  redis.defineCommand("releaseTurn", { numberOfKeys: 1, lua: RELEASE_SCRIPT });
  const commands = redis as unknown as Commands;

  const entryOf = (payload: JobPayload) => `${payload.kind}:${payload.job_id}`;

  async function countAhead(payload: JobPayload, clearDead: boolean): Promise<number> {
    if (payload.session_id === null) return 0;
    const key = keys.sessionTurns(payload.session_id);
    return commands.countJobsAhead(key, entryOf(payload), clearDead ? "1" : "", keys.bullmq);
  }

  async function wake(entry: string): Promise<void> {
    const [kind, jobId] = entry.split(":") as [JobKind, string];
    const job = await queues[kind].getJob(jobId);
    // A job that is not parked cannot be promoted and need not be.
    if (job !== undefined && (await job.isDelayed())) await job.promote().catch(() => {});
  }

  return {
    /**
     * Returns when it is the job's turn. Otherwise says so by `onPark`, parks it and throws the error by which BullMQ
     * knows that. A job that was parked before may clear dead heads: by now the API has queued every job it listed.
     */
    async takeOrPark(
      job: Job,
      token: string,
      payload: JobPayload,
      onPark: (ahead: number) => Promise<void>,
    ): Promise<void> {
      const ahead = await countAhead(payload, job.attemptsStarted > 1);
      if (ahead === 0) return;
      await onPark(ahead);
      await job.moveToDelayed(Date.now() + LOOK_AGAIN_MS, token);
      // The head may have ended between the look and the parking, and found nobody to wake.
      if ((await countAhead(payload, false)) === 0) await job.promote().catch(() => {});
      throw new DelayedError();
    },

    /** Ends the job's turn, if it had one, and wakes the next. Never throws: the next wakes by itself too. */
    async release(payload: JobPayload): Promise<void> {
      if (payload.session_id === null) return;
      try {
        const next = await commands.releaseTurn(keys.sessionTurns(payload.session_id), entryOf(payload));
        if (next !== null) await wake(next);
      } catch (err) {
        logger.warn({ err, job_id: payload.job_id }, "the session's next job was not woken; it will look by itself");
      }
    },
  };
}
