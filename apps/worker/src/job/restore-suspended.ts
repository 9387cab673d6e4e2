/** Gives a Redis that has lost a suspended job back what it kept of it, from the database. */
import { type JobPayload, queueOf, UNENDED_JOB_TTL_SECONDS } from "@agent-paas/shared/contract/jobs.ts";
import { splitPayload } from "@agent-paas/shared/contract/large-fields.ts";
import type { RedisConnection } from "@agent-paas/shared/redis/connect.ts";
import type { RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { OWNER_INDEX } from "@agent-paas/shared/redis/owner-index.ts";
import { defineScript } from "@agent-paas/shared/redis/script.ts";
import { encodeEntry } from "@agent-paas/shared/redis/session-queue.ts";
import type { JobRepository } from "../storage/job-repository.ts";
import type { SuspendedJob } from "../storage/suspension-repository.ts";
import type { JobClaims } from "./job-claims.ts";

/**
 * Adds the entry of the queue, in none of its lists, with the count of starts that the next one must exceed (I4). The
 * job comes first in its session again. `rest`: the large fields. Returns 0 if the queue has the job.
 */
const RESTORE_SCRIPT = defineScript<0 | 1>()({
  name: "restoreSuspended",
  keys: ["job", "session", "payload"],
  args: ["name", "data", "options", "timestamp", "starts", "entry", "ttl"],
  lua: `${OWNER_INDEX}
if redis.call('EXISTS', job) == 1 then return 0 end
redis.call('HSET', job, 'name', name, 'data', data, 'opts', options, 'timestamp', timestamp, 'delay', '0',
  'priority', '0', 'ats', starts)
redis.call('EXPIRE', job, ttl)
storeBesideQueue(payload, '', '', ttl, rest_from)
if entry ~= '' and not redis.call('LPOS', session, entry) then
  redis.call('LPUSH', session, entry)
  redis.call('EXPIRE', session, ttl)
end
return 1
`,
});

/** Puts off the expiry of all that a job needs to go on. Returns 0 if its queue has lost it. */
const KEEP_SCRIPT = defineScript<0 | 1>()({
  name: "keepSuspended",
  keys: ["job", "session", "payload"],
  args: ["ttl"],
  lua: `
local left = redis.call('TTL', job)
if left == -2 then return 0 end
-- One that stands in a list does not expire.
if left >= 0 then redis.call('EXPIRE', job, ttl) end
redis.call('EXPIRE', session, ttl)
redis.call('EXPIRE', payload, ttl)
return 1
`,
});

/** Of a job that has ended, or was deleted, while it was restored. */
const REMOVE_SCRIPT = defineScript<null>()({
  name: "removeRestored",
  keys: ["job", "session", "payload"],
  args: ["entry"],
  lua: `
redis.call('DEL', job, payload)
redis.call('LREM', session, 1, entry)
return false
`,
});

export type SuspendedJobRestorer = ReturnType<typeof createSuspendedJobRestorer>;

type Deps = { readonly claims: Pick<JobClaims, "restore">; readonly jobs: Pick<JobRepository, "isRunning"> };

export function createSuspendedJobRestorer(redis: RedisConnection, keys: RedisKeys, { claims, jobs }: Deps) {
  const restoreEntry = RESTORE_SCRIPT.on(redis);
  const keepEntry = KEEP_SCRIPT.on(redis);
  const removeEntry = REMOVE_SCRIPT.on(redis);
  const ownKeysOf = (payload: JobPayload) => ({
    job: keys.queuedJob(queueOf(payload), payload.job_id),
    session: keys.sessionQueue(payload.session_id ?? ""),
    payload: keys.payload(payload.job_id),
  });

  return {
    /** Whether the queue has the job; then nothing of it expires for as long as sweeps follow. */
    keep: async (payload: JobPayload): Promise<boolean> =>
      (await keepEntry({ ...ownKeysOf(payload), ttl: UNENDED_JOB_TTL_SECONDS })) === 1,

    /** Does nothing for a job that its queue has. */
    async restore(job: SuspendedJob, whole: JobPayload): Promise<void> {
      const { kind, job_id: jobId, session_id: sessionId, accepted_at } = whole;
      const { large_fields: _, ...payload } = whole;
      const { data, large } = splitPayload(payload);
      const entry = sessionId === null ? "" : encodeEntry({ kind, jobId });
      const own = { ...ownKeysOf(whole), entry };
      // Its numbers first: a start must find them.
      await claims.restore(jobId, { fencingToken: job.fencing_token, attempts: job.attempts, seq: job.last_seq });
      const isRestored = await restoreEntry({
        ...own,
        ...{ name: kind, data, options: job.options, timestamp: Date.parse(accepted_at), starts: job.fencing_token },
        ttl: UNENDED_JOB_TTL_SECONDS,
        rest: [...large].flat(),
      });
      if (isRestored === 0) return;
      let isRunning = false;
      try {
        isRunning = await jobs.isRunning(jobId);
      } finally {
        // Also when nobody knows: the next sweep restores it again.
        if (!isRunning) await removeEntry(own);
      }
    },
  };
}
