/**
 * Accepts jobs. While Redis is away this fails within a second as `queue_unavailable`, and nothing was accepted. Only
 * new jobs are refused when the queue is full; cancels and deletions make room.
 */
import { type JobPayload, queueOf } from "@agent-paas/shared/contract/jobs.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { ownedKeysOf, RELEASE_SCRIPT } from "@agent-paas/shared/redis/owner-index.ts";
import {
  DELETED_SESSION,
  decodeEntry,
  encodeEntry,
  type QueuedJobRef,
} from "@agent-paas/shared/redis/session-queue.ts";
import { emit } from "@agent-paas/shared/telemetry/telemetry.ts";
import type { Accept, Accepted, AcceptRequest } from "./accept-request.ts";
import { ACCEPT_SCRIPT, type AcceptReply } from "./accept-script.ts";
import { type Admission, type Capacity, databaseOut, queueFull } from "./admission.ts";
import { type JobParts, partsOf } from "./entry-of.ts";
import { createJoin, encodeRecord, type JoinOptions } from "./join.ts";
import { orUnavailable } from "./or-unavailable.ts";
import { type OwnerShares, shareUsedUp } from "./owner-shares.ts";
import { encodePendingSession } from "./pending-session.ts";
import type { Queues } from "./queues.ts";
import { PENDING_SESSION_TTL_S, SESSION_QUEUE_TTL_S, type SessionQueues, sessionBusy } from "./sessions.ts";

/** What decides whether a job is accepted, apart from its owner's shares. */
type Room = Pick<Capacity, "limit" | "maxMemoryBytes">;

const NO_ROOM: Room = { limit: 0, maxMemoryBytes: 0 };

/** How many jobs one session queue may hold; a session beyond that counts as busy. */
const MAX_SESSION_JOBS = 100;

export type AcceptOptions = JoinOptions & {
  readonly queues: Pick<Queues, "addJob" | "removeJob">;
  readonly shares: OwnerShares;
  /** Whether the owner has as many sessions as one may have. */
  readonly hasAllSessions: (owner: string) => Promise<boolean>;
  readonly sessionQueues: Pick<SessionQueues, "aheadOf" | "join" | "leave" | "readPending" | "storePending">;
  readonly admission: Pick<Admission, "capacity">;
  /** Whether the database refuses the writes of all live workers: a new job could neither start nor end. */
  readonly cannotWrite: () => Promise<boolean>;
  readonly idempotencyTtlSeconds: number;
};

export function createAccept(options: AcceptOptions): Accept {
  const { redis, keys, queues, sessionQueues, admission, shares, cannotWrite, hasAllSessions, cancellation } = options;
  const runAcceptScript = ACCEPT_SCRIPT.on(redis);
  const releaseOwnerEntry = RELEASE_SCRIPT.on(redis);
  const join = createJoin(options);

  function decide(
    { payload, newSession, onBusy, idempotency }: AcceptRequest,
    { values, ownerEntry }: JobParts,
    { limit, maxMemoryBytes }: Room,
  ): Promise<AcceptReply> {
    const { owner, kind, session_id: sessionId } = payload;
    const queue = queueOf(payload);
    return runAcceptScript({
      record_key: keys.idempotency(owner, idempotency?.key ?? ""),
      pending: keys.pendingSession(sessionId ?? ""),
      queue: keys.sessionQueue(sessionId ?? ""),
      waiting: keys.waitingJobs(queue),
      delayed: keys.delayedJobs(queue),
      owners: keys.ownerQueues(queue),
      ...ownedKeysOf(keys, payload),
      other_index: keys.ownerIndex(kind === "chat" ? "execute" : "chat", owner),
      record: idempotency === null ? "" : encodeRecord(payload, idempotency),
      record_ttl: options.idempotencyTtlSeconds,
      new_session: newSession === null ? "" : encodePendingSession(newSession),
      pending_ttl: PENDING_SESSION_TTL_S,
      entry: sessionId === null ? "" : encodeEntry(refOf(payload)),
      queue_ttl: SESSION_QUEUE_TTL_S,
      on_busy: onBusy,
      bullmq_prefix: keys.bullmq,
      max_session_jobs: MAX_SESSION_JOBS,
      limit,
      deleted_mark: DELETED_SESSION,
      owner_entry: ownerEntry,
      ...shares.limits(maxMemoryBytes),
      ...values,
    });
  }

  async function accept(request: AcceptRequest): Promise<Accepted> {
    const { payload, newSession, idempotency } = request;
    const parts = partsOf(payload, request.upload, newSession === null ? "" : encodePendingSession(newSession));
    // Not at once, because a repeated request still joins its job.
    if (await cannotWrite()) return acceptAsDecided(request, parts, NO_ROOM, databaseOut);
    if (newSession !== null && (await hasAllSessions(payload.owner))) {
      return acceptAsDecided(request, parts, NO_ROOM, () => shareUsedUp("sessions_limit"));
    }
    const room = await admission.capacity();
    const isIndependent = payload.session_id === null || payload.begins_session === true;
    // What is refused should not have been sent: a large job, and those of an owner whose share is used up.
    const isSafeToSend = parts.isSmall && room.limit > 0 && !shares.wasRefused(payload.owner);
    return idempotency === null && isIndependent && isSafeToSend
      ? acceptOptimistically(request, parts, room)
      : acceptAsDecided(request, parts, room);
  }

  /** Adds the job after the script has accepted it. */
  async function acceptAsDecided(
    request: AcceptRequest,
    parts: JobParts,
    room: Room,
    refusal = queueFull,
  ): Promise<Accepted> {
    const { payload } = request;
    const reply = await decide(request, parts, room);
    if (reply[0] === "joined") return join(request, reply[1]);
    if (reply[0] === "full") throw refusal();
    if (reply[0] === "share") throw shares.refusal(payload.owner, reply[1]);
    if (reply[0] === "busy") throw sessionBusy(reply[1]);
    if (reply[0] === "deleted") throw new PlatformError("session_not_found");
    await queues.addJob(parts.queued, request);
    // The script names jobs ahead only for a job that interrupts.
    const [, ...ahead] = reply;
    await Promise.all(ahead.map(decodeEntry).map(({ kind, jobId }) => cancellation.send(kind, jobId)));
    return asNew(payload);
  }

  /**
   * Nothing else knows of the job yet, so only a full queue or share can refuse it: it is added in the script's round
   * trip, behind the script.
   */
  async function acceptOptimistically(request: AcceptRequest, parts: JobParts, room: Room): Promise<Accepted> {
    const { payload } = request;
    // Both settle before either failure is thrown, because `revoke` must reach Redis after the addition.
    const [decided, added] = await Promise.allSettled([
      decide(request, parts, room),
      queues.addJob(parts.queued, request),
    ]);
    if (added.status === "rejected") throw added.reason;
    if (decided.status === "rejected") throw decided.reason;
    const reply = decided.value;
    if (reply[0] === "full" || reply[0] === "share") {
      const refusal = reply[0] === "share" ? shares.refusal(payload.owner, reply[1]) : queueFull();
      const outcome = await queues.removeJob(payload);
      if (outcome === "removed") throw refusal;
      // Otherwise a worker was quicker: it holds the job, or has ended it.
      if (outcome === "held") await completeStarted(request);
    }
    return asNew(payload);
  }

  /** A job that a worker holds is accepted although the queue is full: writes what the script would have written. */
  async function completeStarted({ payload, newSession }: AcceptRequest): Promise<void> {
    const { session_id: sessionId } = payload;
    await Promise.all([
      sessionId !== null && sessionQueues.join(sessionId, refOf(payload)),
      newSession !== null && sessionQueues.storePending(newSession),
    ]);
  }

  /** A job refused because Redis did not reply in time may still reach Redis; this removes it again, unless it runs. */
  async function revoke(payload: JobPayload): Promise<void> {
    const { owner, job_id, session_id: sessionId } = payload;
    if ((await queues.removeJob(payload)) === "held") return;
    await Promise.allSettled([
      releaseOwnerEntry({ ...ownedKeysOf(keys, payload), owner, job_id }),
      ...(sessionId === null ? [] : [sessionQueues.leave(sessionId, refOf(payload))]),
    ]);
  }

  return (request) =>
    orUnavailable(redis, async () => {
      try {
        const accepted = await accept(request);
        if (accepted.isNew) emitQueued(request.payload);
        return accepted;
      } catch (error) {
        if (!(error instanceof PlatformError) && request.idempotency === null)
          void revoke(request.payload).catch(() => {});
        throw error;
      }
    });
}

const refOf = ({ kind, job_id: jobId }: JobPayload): QueuedJobRef => ({ kind, jobId });

const asNew = ({ job_id: jobId, session_id: sessionId }: JobPayload): Accepted => ({ isNew: true, jobId, sessionId });

function emitQueued({ job_id, kind, agent_type, owner, traceparent }: JobPayload): void {
  emit("job.queued", { job_id, kind, agent_type, owner, traceparent });
}
