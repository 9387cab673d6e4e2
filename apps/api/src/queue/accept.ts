/**
 * Accepts jobs. While Redis is away this fails within a second as `queue_unavailable`, and nothing was accepted. Only
 * new jobs are refused when the queue is full; cancels and deletions make room.
 */
import { type JobPayload, queueOf } from "@agent-paas/shared/contract/jobs.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { ownedKeysOf, RELEASE_SCRIPT } from "@agent-paas/shared/redis/owner-index.ts";
import { placeValues } from "@agent-paas/shared/redis/places.ts";
import { decodeEntry, encodeEntry, type QueuedJobRef } from "@agent-paas/shared/redis/session-queue.ts";
import { emit } from "@agent-paas/shared/telemetry/telemetry.ts";
import type { Accept, Accepted, AcceptRequest } from "./accept-request.ts";
import { ACCEPT_SCRIPT, type AcceptReply } from "./accept-script.ts";
import { type Admission, databaseOut, queueFull } from "./admission.ts";
import { partsOf } from "./entry-of.ts";
import { createJoin, encodeRecord, type JoinOptions } from "./join.ts";
import { orUnavailable } from "./or-unavailable.ts";
import { type OwnerShares, shareUsedUp } from "./owner-shares.ts";
import { encodePendingSession } from "./pending-session.ts";
import { jobOptions, type Queues } from "./queues.ts";
import { NotReplicated, type Replicated } from "./replication.ts";
import { SessionExists, type SessionQueues, sessionBusy } from "./sessions.ts";

export type AcceptOptions = Omit<JoinOptions, "acceptAgain"> & {
  readonly queues: Pick<Queues, "removeJob">;
  readonly shares: OwnerShares;
  /** Whether the owner has as many sessions as one may have. */
  readonly hasAllSessions: (owner: string) => Promise<boolean>;
  readonly sessionQueues: Pick<SessionQueues, "aheadOf" | "leave" | "readPending">;
  readonly admission: Pick<Admission, "capacity">;
  /** Whether the database refuses the writes of all live workers: a new job could neither start nor end. */
  readonly cannotWrite: () => Promise<boolean>;
  /** Null: jobs need no replica. */
  readonly replicated: Replicated | null;
  readonly idempotencyTtlSeconds: number;
};

export function createAccept(options: AcceptOptions): Accept {
  const {
    redis,
    keys,
    queues,
    sessionQueues,
    admission,
    shares,
    cannotWrite,
    hasAllSessions,
    cancellation,
    replicated,
  } = options;
  const runAcceptScript = ACCEPT_SCRIPT.on(redis);
  const releaseOwnerEntry = RELEASE_SCRIPT.on(redis);
  const join = createJoin({
    ...options,
    async acceptAgain(request) {
      const { limit, maxMemoryBytes } = await admission.capacity();
      const reply = await decide(request, limit, maxMemoryBytes, true);
      if (reply[0] !== "joined") await carryOut(reply);
    },
  });

  function decide(
    request: AcceptRequest,
    limit: number,
    maxMemoryBytes: number,
    isAgain = false,
  ): Promise<AcceptReply> {
    const { payload, newSession, onBusy, idempotency, upload, tries } = request;
    const { owner, kind, job_id: jobId, session_id: sessionId } = payload;
    const sessionText = newSession === null ? "" : encodePendingSession(newSession);
    const queue = queueOf(payload);
    return runAcceptScript({
      ...placeValues(keys, queue, { owner, jobId }),
      record_key: keys.idempotency(owner, idempotency?.key ?? ""),
      pending: keys.pendingSession(sessionId ?? ""),
      queue: keys.sessionQueue(sessionId ?? ""),
      ...ownedKeysOf(keys, payload),
      other_index: keys.ownerIndex(kind === "chat" ? "execute" : "chat", owner),
      again: isAgain ? 1 : 0,
      record: idempotency === null ? "" : encodeRecord(payload, idempotency),
      record_ttl: options.idempotencyTtlSeconds,
      new_session: sessionText,
      entry: sessionId === null ? "" : encodeEntry(refOf(payload)),
      on_busy: onBusy,
      bullmq_prefix: keys.bullmq,
      limit,
      ...shares.limits(maxMemoryBytes),
      ...partsOf(payload, upload, sessionText),
      upload_bytes: upload ?? "",
      job_name: kind,
      options: jobOptions(tries),
      timestamp: Date.parse(payload.accepted_at),
    });
  }

  async function accept(request: AcceptRequest): Promise<Accepted> {
    const { payload, newSession, refusal = null } = request;
    if (refusal !== null) return joinOrRefuse(request, refusal);
    if (await cannotWrite()) return joinOrRefuse(request, databaseOut());
    if (newSession !== null && (await hasAllSessions(payload.owner))) {
      return joinOrRefuse(request, shareUsedUp("sessions_limit"));
    }
    const { limit, maxMemoryBytes } = await admission.capacity();
    if (limit === 0) return joinOrRefuse(request, queueFull());
    await keepKey(request);
    const reply = await decide(request, limit, maxMemoryBytes);
    if (reply[0] === "joined") return join(request, reply[1]);
    await carryOut(reply);
    return { isNew: true, jobId: payload.job_id, sessionId: payload.session_id };
  }

  /**
   * Where jobs need replicas: what a worker may start must be found again by its key, or a repeated request would do
   * the work twice after a failover. The script takes the record for its own.
   */
  async function keepKey({ payload, idempotency }: AcceptRequest): Promise<void> {
    if (replicated === null || idempotency === null) return;
    const key = keys.idempotency(payload.owner, idempotency.key);
    const record = encodeRecord(payload, idempotency);
    await replicated(() => redis.set(key, record, "EX", options.idempotencyTtlSeconds, "NX"));
  }

  /** For a new job that is refused whatever Redis holds, so that nothing of it is sent. */
  async function joinOrRefuse(request: AcceptRequest, refusal: PlatformError): Promise<Accepted> {
    const { idempotency, payload } = request;
    const record = idempotency && (await redis.get(keys.idempotency(payload.owner, idempotency.key)));
    if (record === null) throw refusal;
    return join(request, record);
  }

  /** Throws if the script has refused the job; cancels what a job interrupts. */
  async function carryOut(reply: Exclude<AcceptReply, readonly ["joined", string]>): Promise<void> {
    if (reply[0] === "full") throw queueFull();
    if (reply[0] === "share") throw shares.refusal(reply[1]);
    if (reply[0] === "busy") throw sessionBusy(reply[1]);
    if (reply[0] === "deleted") throw new PlatformError("session_not_found");
    if (reply[0] === "exists") throw new SessionExists();
    const [, ...ahead] = reply;
    await Promise.all(ahead.map(decodeEntry).map(({ kind, jobId }) => cancellation.send(kind, jobId)));
  }

  /** A job whose caller is told that it was not accepted does not go on, even if a worker was quicker. */
  async function withdraw(payload: JobPayload): Promise<void> {
    if ((await revoke(payload)) === "held") await cancellation.send(queueOf(payload), payload.job_id);
  }

  /** A job refused because Redis did not reply in time may still reach Redis; this removes it again, unless it runs. */
  async function revoke(payload: JobPayload): Promise<"held" | "removed"> {
    const { owner, job_id, session_id: sessionId } = payload;
    if (!(await queues.removeJob(payload))) return "held";
    await Promise.allSettled([
      releaseOwnerEntry({ ...ownedKeysOf(keys, payload), owner, job_id }),
      ...(sessionId === null ? [] : [sessionQueues.leave(sessionId, refOf(payload))]),
    ]);
    return "removed";
  }

  return (request) =>
    orUnavailable(redis, async () => {
      try {
        const accepted = await (replicated === null ? accept(request) : replicated(() => accept(request)));
        if (accepted.isNew) emitQueued(request.payload);
        return accepted;
      } catch (error) {
        if (request.idempotency !== null) throw error;
        if (!(error instanceof PlatformError)) void revoke(request.payload).catch(() => {});
        else if (error instanceof NotReplicated) await withdraw(request.payload).catch(() => {});
        throw error;
      }
    });
}

const refOf = ({ kind, job_id: jobId }: JobPayload): QueuedJobRef => ({ kind, jobId });

function emitQueued({ job_id, kind, agent_type, owner, traceparent }: JobPayload): void {
  emit("job.queued", { job_id, kind, agent_type, owner, traceparent });
}
