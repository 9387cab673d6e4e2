/** The places of jobs in their queues, as workers give, keep and hand them over; see `shared/redis/places.ts`. */
import { type JobPayload, type JobQueue, queueOf } from "@agent-paas/shared/contract/jobs.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import type { RedisConnection } from "@agent-paas/shared/redis/connect.ts";
import type { RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { ownedKeysOf } from "@agent-paas/shared/redis/owner-index.ts";
import {
  END_SCRIPT,
  KEEP_SCRIPT,
  PROMOTE_SCRIPT,
  placeValues,
  RESCUE_SCRIPT,
  STEP_BACK_SCRIPT,
  STEP_OUT_SCRIPT,
  YIELD_SCRIPT,
} from "@agent-paas/shared/redis/places.ts";
import { DELETED_SESSION, encodeEntry } from "@agent-paas/shared/redis/session-queue.ts";
import { isIngest } from "../knowledge/uploads.ts";

export type Places = ReturnType<typeof createPlaces>;

type Placed = Pick<JobPayload, "job_id" | "kind" | "owner" | "agent_type">;
/** What is left of a job that has ended, in its queues. */
export type EndedJob = Placed & Pick<JobPayload, "large_fields" | "session_id">;

export function createPlaces(redis: RedisConnection, keys: RedisKeys, logger: Logger) {
  const endJob = END_SCRIPT.on(redis);
  const yieldPlace = YIELD_SCRIPT.on(redis);
  const promoteJob = PROMOTE_SCRIPT.on(redis);
  const keepPlace = KEEP_SCRIPT.on(redis);
  const stepBack = STEP_BACK_SCRIPT.on(redis);
  const stepOut = STEP_OUT_SCRIPT.on(redis);
  const rescue = RESCUE_SCRIPT.on(redis);
  const valuesOf = (payload: Placed) =>
    placeValues(keys, queueOf(payload), { owner: payload.owner, jobId: payload.job_id });

  return {
    /**
     * The job has ended: hands its place over, and removes its entry in its session's queue and what is stored for it.
     * Returns the session's next entry if that one may run now. Never throws: the reaper does all of it for what stays
     * behind, and the session's next job re-checks by itself.
     */
    async leave(payload: EndedJob): Promise<string | null> {
      const { kind, job_id: jobId, session_id: sessionId } = payload;
      const has_stored = payload.large_fields !== undefined || isIngest(payload) ? 1 : 0;
      const session = keys.sessionQueue(sessionId ?? "");
      const pending = keys.pendingSession(sessionId ?? "");
      const entry = sessionId === null ? "" : encodeEntry({ kind, jobId });
      try {
        return await endJob({
          ...{ ...valuesOf(payload), ...ownedKeysOf(keys, payload), has_stored },
          ...{ session, pending, entry, deleted_mark: DELETED_SESSION },
        });
      } catch (err) {
        logger.warn({ err, job_id: jobId }, "the job's place was not handed over; the reaper will do it");
        return null;
      }
    },

    /** A delayed job gives its place up until it enters again. */
    yield: async (payload: Placed): Promise<void> => void (await yieldPlace(valuesOf(payload))),

    /** Makes a delayed job of the owner ready: at once, or when it has a place. Others stay as they are. */
    promote: async (queue: JobQueue, owner: string, jobId: string): Promise<void> =>
      void (await promoteJob(placeValues(keys, queue, { owner, jobId }))),

    /** Whether a job that starts again may run now. */
    keep: async (payload: Placed): Promise<boolean> => (await keepPlace(valuesOf(payload))) === 1,

    /** Takes a delayed job out of its queue's lists and its place; its entry stays, and with it the session's turn. */
    stepOut: async (payload: Placed): Promise<void> => void (await stepOut(valuesOf(payload))),

    /** Has a job enter its queue that the queue knows and that stands nowhere in it. False: it does, or is unknown. */
    async rescue(payload: Placed): Promise<boolean> {
      const [queue, jobId] = [queueOf(payload), payload.job_id];
      const own = { job: keys.queuedJob(queue, jobId), lock: keys.jobLock(queue, jobId) };
      return (await rescue({ ...valuesOf(payload), ...own, active: keys.activeJobs(queue) })) === 1;
    },

    /** Has a delayed job wait in its owner's queue for a place. */
    stepBack: async (payload: Placed): Promise<void> => void (await stepBack(valuesOf(payload))),
  };
}
