/** Idempotency: a request whose Idempotency-Key was used before gets the job that the first request made. */
import { type JobPayload, queueOf } from "@agent-paas/shared/contract/jobs.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type { RedisConnection } from "@agent-paas/shared/redis/connect.ts";
import type { RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import type { QueuedJobRef } from "@agent-paas/shared/redis/session-queue.ts";
import { z } from "zod";
import type { Accepted, AcceptRequest, Idempotency } from "./accept-request.ts";
import type { Cancellation } from "./cancel.ts";
import type { SessionQueues } from "./sessions.ts";

const RecordSchema = z.object({ job_id: z.string(), session_id: z.string().nullable(), body_hash: z.string() });
type IdempotencyRecord = z.infer<typeof RecordSchema>;

/** What Redis keeps of the first request with an Idempotency-Key. */
export const encodeRecord = ({ job_id, session_id }: JobPayload, { bodyHash }: Idempotency): string =>
  JSON.stringify({ job_id, session_id, body_hash: bodyHash } satisfies IdempotencyRecord);

export const decodeRecord = (text: string): IdempotencyRecord => RecordSchema.parse(JSON.parse(text));

export type JoinOptions = {
  readonly redis: RedisConnection;
  readonly keys: RedisKeys;
  readonly sessionQueues: Pick<SessionQueues, "aheadOf" | "readPending">;
  readonly cancellation: Pick<Cancellation, "send">;
  /** Whether a worker has started the job; from then on the queue may not have it any more. */
  readonly hasStarted: (owner: string, jobId: string) => Promise<boolean>;
  /** Whether the session has a row. */
  readonly hasSession: (owner: string, sessionId: string) => Promise<boolean>;
  /** Accepts a job that was recorded and that no queue has. */
  readonly acceptAgain: (request: AcceptRequest) => Promise<void>;
};

export function createJoin(options: JoinOptions) {
  const { redis, keys, sessionQueues, cancellation, hasStarted, hasSession, acceptAgain } = options;

  /** `recordText` is the record of the first request. Throws `idempotency_key_reused` or `session_not_found`. */
  return async function join(request: AcceptRequest, recordText: string): Promise<Accepted> {
    const record = decodeRecord(recordText);
    const { payload, idempotency, onBusy } = request;
    if (record.body_hash !== idempotency?.bodyHash) throw new PlatformError("idempotency_key_reused");
    const job: QueuedJobRef = { kind: payload.kind, jobId: record.job_id };
    const isKnown =
      (await redis.exists(keys.queuedJob(queueOf(payload), job.jobId))) === 1 ||
      (await hasStarted(payload.owner, job.jobId));
    if (!isKnown) await queueRecorded(request, record);
    if (onBusy === "interrupt" && record.session_id !== null) await interruptAhead(record.session_id, job);
    return { isNew: false, jobId: record.job_id, sessionId: record.session_id };
  };

  /**
   * An API of a former version died after it had recorded the job and before it had queued it, or too few replicas had
   * the key. Nobody was told of the job, so it takes the turn of this request.
   */
  async function queueRecorded(request: AcceptRequest, { job_id, session_id }: IdempotencyRecord): Promise<void> {
    const { begins_session: _, ...payload } = request.payload;
    const isKnown =
      session_id === null ||
      (await sessionQueues.readPending(session_id)) !== null ||
      (await hasSession(payload.owner, session_id));
    // The session of a request that begins one was never stored; any other one was deleted since.
    const newSession =
      isKnown || session_id === null ? null : request.newSession && { ...request.newSession, id: session_id };
    if (!isKnown && newSession === null) throw new PlatformError("session_not_found");
    await acceptAgain({ ...request, payload: { ...payload, job_id, session_id }, newSession, idempotency: null });
  }

  /** Repeats the cancels of a job that interrupts: the API that accepted it may have died before it sent them. */
  async function interruptAhead(sessionId: string, job: QueuedJobRef): Promise<void> {
    const ahead = await sessionQueues.aheadOf(sessionId, job);
    await Promise.all(ahead.map(({ kind, jobId }) => cancellation.send(kind, jobId)));
  }
}
