/**
 * I6: the jobs of one session run one at a time, in the order accepted. The API appends each job to its session's
 * queue; only the head may run. A worker delays any other job; the worker that ends the head promotes the next.
 *
 * Crash-safe without polling: a delayed job re-checks by itself (`recheckMs`), and the check removes heads whose
 * job does not exist (a worker died before it removed the entry).
 */
import type { JobPayload } from "@agent-paas/shared/contract/jobs.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import type { RedisConnection } from "@agent-paas/shared/redis/connect.ts";
import type { RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { defineScript } from "@agent-paas/shared/redis/script.ts";
import {
  CLOSE_SESSION_SCRIPT,
  DELETED_SESSION,
  DELETED_SESSION_TTL_S,
  DROP_DANGLING_HEADS,
  decodeEntry,
  encodeEntry,
} from "@agent-paas/shared/redis/session-queue.ts";
import { MINUTE, SECOND } from "@agent-paas/shared/time.ts";
import type { Places } from "./places.ts";

const FIRST_RECHECK_MS = 5 * SECOND;
const LONGEST_RECHECK_MS = MINUTE;

/**
 * How long a job that is not the head is delayed before it checks again. It is promoted when its turn comes, so this
 * only matters after a crash; the jobs of a hundred long session queues must not all come back every few seconds.
 */
export const recheckMs = (jobsAhead: number): number => Math.min(FIRST_RECHECK_MS * jobsAhead, LONGEST_RECHECK_MS);

/** Returns how many jobs come first; without an entry of its own, the length of the queue. */
const JOBS_AHEAD_SCRIPT = defineScript<number>()({
  name: "countJobsAhead",
  keys: ["queue"],
  args: ["entry", "bullmq_prefix"],
  lua: `
${DROP_DANGLING_HEADS}
dropDanglingHeads(queue, bullmq_prefix)
return redis.call('LPOS', queue, entry) or redis.call('LLEN', queue)
`,
});

export type SessionQueue = ReturnType<typeof createSessionQueue>;

export function createSessionQueue(redis: RedisConnection, keys: RedisKeys, places: Places, logger: Logger) {
  const countJobsAhead = JOBS_AHEAD_SCRIPT.on(redis);
  const closeSession = CLOSE_SESSION_SCRIPT.on(redis);
  const entryOf = ({ kind, job_id: jobId }: JobPayload) => encodeEntry({ kind, jobId });

  return {
    /** How many jobs of the session come before this one; 0: it may run. A job outside any session has none ahead. */
    async jobsAhead(payload: JobPayload): Promise<number> {
      if (payload.session_id === null) return 0;
      const queue = keys.sessionQueue(payload.session_id);
      return countJobsAhead({ queue, entry: entryOf(payload), bullmq_prefix: keys.bullmq });
    },

    /** The ids of the jobs of the session that come before this one, in their order. */
    async idsAhead(payload: JobPayload): Promise<string[]> {
      if (payload.session_id === null) return [];
      const entries = await redis.lrange(keys.sessionQueue(payload.session_id), 0, -1);
      const own = entries.indexOf(entryOf(payload));
      return entries.slice(0, Math.max(own, 0)).map((entry) => decodeEntry(entry).jobId);
    },

    /** Starts the job of the entry. Never throws: if this fails, the delayed job re-checks by itself. */
    async promote(owner: string, entry: string | null): Promise<void> {
      if (entry === null) return;
      try {
        const { kind, jobId } = decodeEntry(entry);
        await places.promote(kind, owner, jobId);
      } catch (err) {
        logger.warn({ err, entry }, "the session's next job was not promoted; it re-checks by itself");
      }
    },

    /** Closes an idle session for its deletion: no job is accepted into it any more. False: a job runs or waits. */
    close: async (sessionId: string): Promise<boolean> =>
      (await closeSession({
        queue: keys.sessionQueue(sessionId),
        pending: keys.pendingSession(sessionId),
        bullmq_prefix: keys.bullmq,
        deleted_mark: DELETED_SESSION,
        deleted_ttl: DELETED_SESSION_TTL_S,
      })) === null,

    /** Whether the session is closed, or was deleted lately. */
    isClosed: async (sessionId: string): Promise<boolean> =>
      (await redis.get(keys.pendingSession(sessionId))) === DELETED_SESSION,

    /** Undoes `close` for a session that has a row. */
    reopen: async (sessionId: string): Promise<void> => void (await redis.del(keys.pendingSession(sessionId))),
  };
}
