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
import {
  CLOSE_SESSION_SCRIPT,
  DELETED_SESSION,
  DROP_DANGLING_HEADS,
} from "@agent-paas/shared/redis/session-queue-script.ts";
import { DAY, SECOND } from "@agent-paas/shared/time.ts";
import { DelayedError, type Job, type Queue } from "bullmq";
import type { Redis } from "ioredis";

/** When a parked job looks again by itself. */
const LOOK_AGAIN_MS = 5 * SECOND;

/** How long Redis remembers that a session was deleted, s; its row is gone by then. */
const DELETED_TTL_S = DAY / SECOND;

/** KEYS: turns. ARGV: own entry, prefix of BullMQ's job keys. Returns how many jobs come first; without an entry, all. */
const JOBS_AHEAD_SCRIPT = `
${DROP_DANGLING_HEADS}
dropDanglingHeads(KEYS[1], ARGV[2])
return redis.call('LPOS', KEYS[1], ARGV[1]) or redis.call('LLEN', KEYS[1])
`;

/**
 * KEYS: turns, session stub. ARGV: own entry, what a stub says of a deleted session. Removes the entry; if it was the head,
 * returns the next one. The session has its row by now, so its stub goes too.
 */
const RELEASE_SCRIPT = `
if redis.call('GET', KEYS[2]) ~= ARGV[2] then redis.call('DEL', KEYS[2]) end
local head = redis.call('LINDEX', KEYS[1], 0)
redis.call('LREM', KEYS[1], 1, ARGV[1])
if head == ARGV[1] then return redis.call('LINDEX', KEYS[1], 0) end
return false
`;

type Commands = {
  countJobsAhead(key: string, entry: string, prefix: string): Promise<number>;
  leaveSessionQueue(turns: string, stub: string, entry: string, deletedMark: string): Promise<string | null>;
  closeSession(turns: string, stub: string, prefix: string, mark: string, ttl: number): Promise<string | null>;
};

/** `kind:job id`, as the list of turns holds it. */
export type SessionQueueEntry = string;

export type SessionQueue = ReturnType<typeof createSessionQueue>;

export function createSessionQueue(redis: Redis, keys: RedisKeys, queues: Record<JobKind, Queue>, logger: Logger) {
  redis.defineCommand("countJobsAhead", { numberOfKeys: 1, lua: JOBS_AHEAD_SCRIPT });
  redis.defineCommand("leaveSessionQueue", { numberOfKeys: 2, lua: RELEASE_SCRIPT });
  redis.defineCommand("closeSession", { numberOfKeys: 2, lua: CLOSE_SESSION_SCRIPT });
  const commands = redis as unknown as Commands;

  const entryOf = (payload: JobPayload) => `${payload.kind}:${payload.job_id}`;

  async function countAhead(payload: JobPayload): Promise<number> {
    if (payload.session_id === null) return 0;
    return commands.countJobsAhead(keys.sessionQueue(payload.session_id), entryOf(payload), keys.bullmq);
  }

  async function promote(entry: SessionQueueEntry): Promise<void> {
    const [kind, jobId] = entry.split(":") as [JobKind, string];
    const job = await queues[kind].getJob(jobId);
    // A job that is not parked cannot be promoted and need not be.
    if (job !== undefined && (await job.isDelayed())) await job.promote().catch(() => {});
  }

  return {
    /**
     * Returns when it is the job's turn. Otherwise says so by `onPark`, parks it and throws the error by which BullMQ
     * knows that.
     */
    async takeOrPark(
      job: Job,
      token: string,
      payload: JobPayload,
      onPark: (ahead: number) => Promise<void>,
    ): Promise<void> {
      if (payload.begins_session && job.attemptsStarted === 1) return;
      const ahead = await countAhead(payload);
      if (ahead === 0) return;
      await onPark(ahead);
      await job.moveToDelayed(Date.now() + LOOK_AGAIN_MS, token);
      // The head may have ended between the look and the parking, and found nobody to wake.
      if ((await countAhead(payload)) === 0) await job.promote().catch(() => {});
      throw new DelayedError();
    },

    /** Ends the job's turn, if it had one; returns the entry whose turn it is then. Never throws: that wakes by itself too. */
    async release(payload: JobPayload): Promise<SessionQueueEntry | null> {
      const { session_id: sessionId } = payload;
      if (sessionId === null) return null;
      const [turns, stub] = [keys.sessionQueue(sessionId), keys.session(sessionId)];
      try {
        return await commands.leaveSessionQueue(turns, stub, entryOf(payload), DELETED_SESSION);
      } catch (err) {
        logger.warn(
          { err, job_id: payload.job_id },
          "the session's turn was not ended; the next job will look by itself",
        );
        return null;
      }
    },

    /** Closes an idle session for its deletion: nothing more is accepted into it. False: a job has its turn or waits. */
    async close(sessionId: string): Promise<boolean> {
      const [turns, stub] = [keys.sessionQueue(sessionId), keys.session(sessionId)];
      return (await commands.closeSession(turns, stub, keys.bullmq, DELETED_SESSION, DELETED_TTL_S)) === null;
    },

    /** Takes a closing back, of a session that has a row. */
    reopen: async (sessionId: string): Promise<void> => void (await redis.del(keys.session(sessionId))),

    /** Starts the job whose turn it is. Never throws. */
    async wake(entry: SessionQueueEntry | null): Promise<void> {
      if (entry === null) return;
      try {
        await promote(entry);
      } catch (err) {
        logger.warn({ err, entry }, "the session's next job was not woken; it will look by itself");
      }
    },
  };
}
