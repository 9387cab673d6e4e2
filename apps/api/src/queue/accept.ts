/**
 * Accepts jobs. While Redis is away this fails within a second as `queue_unavailable`, and nothing was accepted. Only
 * new jobs are refused when the queue is full; cancels and deletions make room.
 */
import { type JobPayload, queueOf } from "@agent-paas/shared/contract/jobs.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import {
  DELETED_SESSION,
  decodeEntry,
  encodeEntry,
  type QueuedJobRef,
} from "@agent-paas/shared/redis/session-queue.ts";
import { emit } from "@agent-paas/shared/telemetry/telemetry.ts";
import type { Accept, Accepted, AcceptRequest } from "./accept-request.ts";
import { ACCEPT_SCRIPT, type AcceptReply } from "./accept-script.ts";
import { type Admission, databaseOut, queueFull } from "./admission.ts";
import { createJoin, encodeRecord, type JoinOptions } from "./join.ts";
import { orUnavailable } from "./or-unavailable.ts";
import { encodePendingSession } from "./pending-session.ts";
import type { Queues } from "./queues.ts";
import { PENDING_SESSION_TTL_S, SESSION_QUEUE_TTL_S, type SessionQueues, sessionBusy } from "./sessions.ts";

/** How many jobs one session queue may hold; a session beyond that counts as busy. */
const MAX_SESSION_JOBS = 100;

export type AcceptOptions = JoinOptions & {
  readonly queues: Pick<Queues, "addJob" | "removeJob" | "removeUpload">;
  readonly sessionQueues: Pick<SessionQueues, "aheadOf" | "join" | "leave" | "readPending" | "storePending">;
  readonly admission: Pick<Admission, "capacityFor">;
  /** Whether the database refuses the writes of all live workers: a new job could neither start nor end. */
  readonly cannotWrite: () => Promise<boolean>;
  readonly idempotencyTtlSeconds: number;
};

export function createAccept(options: AcceptOptions): Accept {
  const { redis, keys, queues, sessionQueues, admission, cannotWrite, cancellation, idempotencyTtlSeconds } = options;
  const runAcceptScript = ACCEPT_SCRIPT.on(redis);
  const join = createJoin(options);

  function decide({ payload, newSession, onBusy, idempotency }: AcceptRequest, limit: number): Promise<AcceptReply> {
    const { owner, session_id: sessionId } = payload;
    const queue = queueOf(payload);
    return runAcceptScript({
      record_key: keys.idempotency(owner, idempotency?.key ?? ""),
      pending: keys.pendingSession(sessionId ?? ""),
      queue: keys.sessionQueue(sessionId ?? ""),
      waiting: keys.waitingJobs(queue),
      delayed: keys.delayedJobs(queue),
      owners: keys.ownerQueues(queue),
      record: idempotency === null ? "" : encodeRecord(payload, idempotency),
      record_ttl: idempotencyTtlSeconds,
      new_session: newSession === null ? "" : encodePendingSession(newSession),
      pending_ttl: PENDING_SESSION_TTL_S,
      entry: sessionId === null ? "" : encodeEntry(refOf(payload)),
      queue_ttl: SESSION_QUEUE_TTL_S,
      on_busy: onBusy,
      bullmq_prefix: keys.bullmq,
      max_session_jobs: MAX_SESSION_JOBS,
      limit,
      deleted_mark: DELETED_SESSION,
    });
  }

  async function accept(request: AcceptRequest): Promise<Accepted> {
    const { payload, idempotency } = request;
    // Not at once, because a repeated request still joins its job.
    if (await cannotWrite()) return acceptAsDecided(request, 0, databaseOut);
    const { limit, hasHeadroom } = await admission.capacityFor(queueOf(payload));
    const isIndependent = idempotency === null && payload.session_id === null;
    if (isIndependent && hasHeadroom) {
      // The script would decide and store nothing.
      await queues.addJob(payload, request);
      return asNew(payload);
    }
    const isUnknownToOthers = isIndependent || (idempotency === null && payload.begins_session === true);
    return isUnknownToOthers && limit > 0 ? acceptOptimistically(request, limit) : acceptAsDecided(request, limit);
  }

  /** Adds the job after the script has accepted it. */
  async function acceptAsDecided(request: AcceptRequest, limit: number, refusal = queueFull): Promise<Accepted> {
    const reply = await decide(request, limit);
    if (reply[0] === "joined") return join(request, reply[1]);
    if (reply[0] === "full") throw refusal();
    if (reply[0] === "busy") throw sessionBusy(reply[1]);
    if (reply[0] === "deleted") throw new PlatformError("session_not_found");
    await queues.addJob(request.payload, request);
    // The script names jobs ahead only for a job that interrupts.
    const [, ...ahead] = reply;
    await Promise.all(ahead.map(decodeEntry).map(({ kind, jobId }) => cancellation.send(kind, jobId)));
    return asNew(request.payload);
  }

  /** Nothing else knows of the job yet, so only a full queue can refuse it: it is added in the script's round trip. */
  async function acceptOptimistically(request: AcceptRequest, limit: number): Promise<Accepted> {
    const { payload } = request;
    // Both settle before either failure is thrown, because `revoke` must reach Redis after the addition.
    const [decided, added] = await Promise.allSettled([decide(request, limit), queues.addJob(payload, request)]);
    if (added.status === "rejected") throw added.reason;
    if (decided.status === "rejected") throw decided.reason;
    if (decided.value[0] === "full") {
      if (await takeBack(payload)) throw queueFull();
      await completeStarted(request);
    }
    return asNew(payload);
  }

  /** Removes an added job from the queue; false when a worker holds it. */
  async function takeBack(payload: JobPayload): Promise<boolean> {
    if (!(await queues.removeJob(payload))) return false;
    await queues.removeUpload(payload.job_id);
    return true;
  }

  /** A job that a worker holds is accepted although the queue is full: writes what the script would have written. */
  async function completeStarted({ payload, newSession }: AcceptRequest): Promise<void> {
    const { session_id: sessionId } = payload;
    await Promise.all([
      sessionId !== null && sessionQueues.join(sessionId, refOf(payload)),
      newSession !== null && sessionQueues.storePending(newSession),
    ]);
  }

  /** A job refused because Redis did not reply in time may still reach Redis; this removes it again. */
  async function revoke(payload: JobPayload): Promise<void> {
    const { job_id: jobId, session_id: sessionId } = payload;
    await Promise.allSettled([
      queues.removeJob(payload),
      queues.removeUpload(jobId),
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
        if (!(error instanceof PlatformError) && request.idempotency === null) void revoke(request.payload);
        throw error;
      }
    });
}

const refOf = ({ kind, job_id: jobId }: JobPayload): QueuedJobRef => ({ kind, jobId });

const asNew = ({ job_id: jobId, session_id: sessionId }: JobPayload): Accepted => ({ isNew: true, jobId, sessionId });

function emitQueued({ job_id, kind, agent_type, owner, traceparent }: JobPayload): void {
  emit("job.queued", { job_id, kind, agent_type, owner, traceparent });
}
