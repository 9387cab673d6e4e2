/** Pending sessions and session queues (I6) as the accept path and the session routes need them. */
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type { RedisConnection } from "@agent-paas/shared/redis/connect.ts";
import type { RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import {
  CLOSE_SESSION_SCRIPT,
  DELETED_SESSION,
  DELETED_SESSION_TTL_S,
  decodeEntry,
  encodeEntry,
  type QueuedJobRef,
} from "@agent-paas/shared/redis/session-queue.ts";
import { DAY, SECOND } from "@agent-paas/shared/time.ts";
import { orUnavailable } from "./or-unavailable.ts";
import { decodePendingSession, type PendingSession } from "./pending-session.ts";
import type { Queues } from "./queues.ts";

export const PENDING_SESSION_TTL_S = DAY / SECOND;
export const SESSION_QUEUE_TTL_S = (7 * DAY) / SECOND;

/** `head` is the entry that the session is busy with. */
export const sessionBusy = (head: string): PlatformError =>
  new PlatformError("session_busy", { details: { job_id: decodeEntry(head).jobId } });

/** Another request has begun the session that this one would begin, or it was deleted. */
export class SessionExists extends PlatformError {
  constructor() {
    super("session_not_found");
  }
}

const columnsOf = ({ agent_type, config, metadata, created_at }: PendingSession) => ({
  ...{ agent_type, config: JSON.stringify(config), metadata: JSON.stringify(metadata), created_at },
});

export type SessionQueues = ReturnType<typeof createSessionQueues>;

export type SessionQueuesOptions = {
  readonly redis: RedisConnection;
  readonly keys: RedisKeys;
  readonly queues: Pick<Queues, "addMaintenance">;
};

export function createSessionQueues({ redis, keys, queues }: SessionQueuesOptions) {
  const closeSession = CLOSE_SESSION_SCRIPT.on(redis);

  const readPending = async (sessionId: string): Promise<PendingSession | null> =>
    decodePendingSession(await redis.get(keys.pendingSession(sessionId)));

  return {
    // For the accept path, which runs under `orUnavailable`.

    readPending,

    leave: (sessionId: string, job: QueuedJobRef): Promise<number> =>
      redis.lrem(keys.sessionQueue(sessionId), 1, encodeEntry(job)),

    /** The jobs ahead of one in its session queue; none if the queue does not hold it. */
    async aheadOf(sessionId: string, job: QueuedJobRef): Promise<QueuedJobRef[]> {
      const entries = await redis.lrange(keys.sessionQueue(sessionId), 0, -1);
      return entries.slice(0, Math.max(0, entries.indexOf(encodeEntry(job)))).map(decodeEntry);
    },

    // For routes.

    /** The pending session of that id, if it is the owner's. Throws `queue_unavailable`. */
    findPending: (owner: string, sessionId: string): Promise<PendingSession | null> =>
      orUnavailable(redis, async () => {
        const session = await readPending(sessionId);
        return session?.owner === owner ? session : null;
      }),

    /** Whether no job of the session is queued, runs or waits. Throws `queue_unavailable`. */
    isIdle: (sessionId: string): Promise<boolean> =>
      orUnavailable(redis, async () => (await redis.llen(keys.sessionQueue(sessionId))) === 0),

    /** Whether a session of that id was deleted lately. */
    isDeleted: (sessionId: string): Promise<boolean> =>
      orUnavailable(redis, async () => (await redis.get(keys.pendingSession(sessionId))) === DELETED_SESSION),

    /** Orders the new title; its `done` appears in the event log of `receiptId`. */
    rename: (owner: string, sessionId: string, title: string, receiptId: string): Promise<void> =>
      orUnavailable(redis, async () => {
        const found = await readPending(sessionId);
        const pending = found === null ? {} : { pending: columnsOf(found) };
        const action = { action: "rename_session", session_id: sessionId, owner, title, ...pending } as const;
        await queues.addMaintenance({ ...action, receipt_id: receiptId }, receiptId);
      }),

    /** Orders the deletion; its `done` appears in the event log of `receiptId`. Throws `session_busy`. */
    delete: (owner: string, sessionId: string, receiptId: string): Promise<void> =>
      orUnavailable(redis, async () => {
        const head = await closeSession({
          queue: keys.sessionQueue(sessionId),
          pending: keys.pendingSession(sessionId),
          bullmq_prefix: keys.bullmq,
          deleted_mark: DELETED_SESSION,
          deleted_ttl: DELETED_SESSION_TTL_S,
        });
        if (head !== null) throw sessionBusy(head);
        await queues.addMaintenance(
          { action: "delete_session", session_id: sessionId, owner, receipt_id: receiptId },
          receiptId,
        );
      }),
  };
}
