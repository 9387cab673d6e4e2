/**
 * The producer: accepts jobs, cancels them, orders deletions. Everything here fails within a second as
 * `queue_unavailable` when Redis is away, and then nothing was accepted. Only new jobs are refused when the queue is full:
 * cancels and deletions make room.
 */
import {
  FAILED_JOB_TTL_SECONDS,
  JOB_KINDS,
  type JobKind,
  type JobPayload,
  MAINTENANCE_QUEUE,
  type MaintenancePayload,
  UNENDED_JOB_TTL_SECONDS,
} from "@agent-paas/shared/contract/jobs.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import type { RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { CLOSE_SESSION_SCRIPT, DELETED_SESSION } from "@agent-paas/shared/redis/session-queue.ts";
import { DAY, SECOND } from "@agent-paas/shared/time.ts";
import { type JobsOptions, Queue } from "bullmq";
import type { Redis } from "ioredis";
import { ACCEPT_SCRIPT, CANCEL_SCRIPT, JOIN_SESSION_QUEUE_SCRIPT } from "./accept-script.ts";
import { createAdmission, queueFull } from "./admission.ts";
import { orUnavailable } from "./or-unavailable.ts";
import { decodePendingSession, encodePendingSession, type PendingSession } from "./pending-session.ts";

export type OnBusy = "queue" | "reject" | "interrupt";

export type Idempotency = { readonly key: string; readonly bodyHash: string };

export type AcceptRequest = {
  readonly payload: JobPayload;
  /** The session that the job begins; null for a job in an old one or in none. */
  readonly newSession: PendingSession | null;
  readonly onBusy: OnBusy;
  readonly idempotency: Idempotency | null;
  /** A text too large for the payload; the job finds it under its own key. */
  readonly upload?: string;
  /** How often the job may be tried; default: as often as an agent. */
  readonly tries?: number;
};

export type Accepted = {
  /** False: the Idempotency-Key was used before, and this is the job that it made. */
  readonly isNew: boolean;
  readonly jobId: string;
  readonly sessionId: string | null;
};

export type JobProducer = ReturnType<typeof createJobProducer>;

export type ProducerOptions = {
  readonly redis: Redis;
  readonly keys: RedisKeys;
  readonly idempotencyTtlSeconds: number;
  /** How many jobs of one queue may wait; more are refused as `queue_full`. */
  readonly maxQueuedJobs: number;
  /** Whether a worker has started the job: then the queue need not have it any more. */
  readonly hasStarted: (owner: string, jobId: string) => Promise<boolean>;
  /** Whether the session has a row. */
  readonly hasSession: (owner: string, sessionId: string) => Promise<boolean>;
  readonly logger: Logger;
};

const PENDING_SESSION_TTL_S = DAY / SECOND;
/** How many jobs of one session may wait and run; beyond that it counts as busy. */
const MAX_SESSION_JOBS = 100;
const SESSION_QUEUE_TTL_S = (7 * DAY) / SECOND;

/** Tries are for passing faults of the model and the platform; each waits as the worker's back-off says. */
const TRIES = 3;
const JOB_OPTIONS: JobsOptions = {
  backoff: { type: "custom" },
  removeOnComplete: true,
  removeOnFail: { age: FAILED_JOB_TTL_SECONDS, count: 1_000 },
};
const MAINTENANCE_OPTIONS: JobsOptions = {
  attempts: 10,
  backoff: { type: "custom" },
  removeOnComplete: true,
  removeOnFail: { age: FAILED_JOB_TTL_SECONDS, count: 1_000 },
};

type Commands = {
  acceptJob(...args: (string | number)[]): Promise<[string, ...string[]]>;
  joinSessionQueue(turns: string, stub: string, entry: string, ttl: number, deletedMark: string): Promise<0 | 1>;
  cancelJob(state: string, ttl: number, channel: string, jobId: string): Promise<number>;
};
type IdempotencyRecord = { job_id: string; session_id: string | null; body_hash: string };

export function createJobProducer({
  redis,
  keys,
  idempotencyTtlSeconds,
  maxQueuedJobs,
  hasStarted,
  hasSession,
  logger,
}: ProducerOptions) {
  const admission = createAdmission(redis, keys, maxQueuedJobs);
  redis.defineCommand("acceptJob", { numberOfKeys: 5, lua: ACCEPT_SCRIPT });
  const closeSession = CLOSE_SESSION_SCRIPT.on(redis);
  redis.defineCommand("joinSessionQueue", { numberOfKeys: 2, lua: JOIN_SESSION_QUEUE_SCRIPT });
  redis.defineCommand("cancelJob", { numberOfKeys: 1, lua: CANCEL_SCRIPT });
  const commands = redis as unknown as Commands;
  const openQueue = (name: string) => {
    const queue = new Queue(name, {
      connection: redis,
      prefix: keys.bullmq,
      // The version check asks Redis once, at the start, and a late answer would fail every later call.
      skipVersionCheck: true,
      skipWaitingForReady: true,
      streams: { events: { maxLen: 1_000 } },
    });
    queue.on("error", (err) => logger.debug({ err, queue: name }, "queue error"));
    return queue;
  };
  const queues = Object.fromEntries(JOB_KINDS.map((kind) => [kind, openQueue(kind)])) as Record<JobKind, Queue>;
  const maintenance = openQueue(MAINTENANCE_QUEUE);

  /** Doing it again changes nothing. */
  async function enqueue(payload: JobPayload, { upload, tries = TRIES }: AcceptRequest): Promise<void> {
    const { kind, job_id: jobId } = payload;
    if (upload !== undefined) await redis.set(keys.upload(jobId), upload, "EX", UNENDED_JOB_TTL_SECONDS);
    await queues[kind].add(kind, payload, { ...JOB_OPTIONS, attempts: tries, jobId });
  }

  const addMaintenance = (payload: MaintenancePayload, jobId: string) =>
    maintenance.add(payload.action, payload, { ...MAINTENANCE_OPTIONS, jobId });

  async function cancel(kind: JobKind, jobId: string): Promise<void> {
    await commands.cancelJob(keys.jobState(jobId), UNENDED_JOB_TTL_SECONDS, keys.cancelChannel, jobId);
    await addMaintenance({ action: "end_cancelled_job", job_id: jobId, kind }, `cancel-${jobId}`);
  }

  async function accept(request: AcceptRequest): Promise<Accepted> {
    const { payload, newSession, onBusy, idempotency } = request;
    const { owner, kind, job_id: jobId, session_id: sessionId } = payload;
    const record: IdempotencyRecord = {
      job_id: jobId,
      session_id: sessionId,
      body_hash: idempotency?.bodyHash ?? "",
    };
    const { limit, isAmple } = await admission.room(kind);
    if (idempotency === null && sessionId === null && isAmple) {
      // Nothing is to be decided, and nothing remembered but the job itself.
      await enqueue(payload, request);
      return { isNew: true, jobId, sessionId };
    }
    const deciding = commands.acceptJob(
      keys.idempotency(owner, idempotency?.key ?? ""),
      keys.pendingSession(sessionId ?? ""),
      keys.sessionQueue(sessionId ?? ""),
      keys.waitingJobs(kind),
      keys.delayedJobs(kind),
      idempotency === null ? "" : JSON.stringify(record),
      idempotencyTtlSeconds,
      newSession === null ? "" : encodePendingSession(newSession),
      PENDING_SESSION_TTL_S,
      sessionId === null ? "" : `${kind}:${jobId}`,
      SESSION_QUEUE_TTL_S,
      onBusy,
      keys.bullmq,
      MAX_SESSION_JOBS,
      limit,
    );
    // Nobody else knows of it yet, so only a full queue can refuse it: it is queued in the same round trip.
    const isUnknown = idempotency === null && (sessionId === null || payload.begins_session === true) && limit > 0;
    if (isUnknown) {
      // Both come to their end before it is said how: what follows a failure must not overtake the queueing.
      const [, queued] = await Promise.allSettled([deciding, enqueue(payload, request)]);
      if (queued.status === "rejected") throw queued.reason;
    }
    const [outcome, ...found] = await deciding;
    if (isUnknown) {
      if (outcome === "full") {
        if (await takeBack(payload)) throw queueFull();
        // It has begun, so it is accepted, with what the script would have written.
        await Promise.all([
          sessionId !== null && joinSessionQueue(sessionId, `${kind}:${jobId}`),
          newSession !== null &&
            redis.set(
              keys.pendingSession(newSession.id),
              encodePendingSession(newSession),
              "EX",
              PENDING_SESSION_TTL_S,
            ),
        ]);
      }
      return { isNew: true, jobId, sessionId };
    }
    if (outcome === "joined") return join(request, JSON.parse(found[0] ?? ""));
    if (outcome === "full") throw queueFull();
    if (outcome === "busy") throw busy(found[0] ?? "");
    if (outcome === "deleted") throw new PlatformError("session_not_found");
    await enqueue(payload, request);
    // Only a job that interrupts is told who comes first.
    await Promise.all(found.map((entry) => cancel(...splitEntry(entry))));
    return { isNew: true, jobId, sessionId };
  }

  /** False: a worker has it. */
  async function takeBack({ kind, job_id: jobId }: JobPayload): Promise<boolean> {
    if ((await queues[kind].remove(jobId)) !== 1) return false;
    await redis.del(keys.upload(jobId));
    return true;
  }

  /** False: the session is being deleted. */
  const joinSessionQueue = async (sessionId: string, entry: string): Promise<boolean> =>
    (await commands.joinSessionQueue(
      keys.sessionQueue(sessionId),
      keys.pendingSession(sessionId),
      entry,
      SESSION_QUEUE_TTL_S,
      DELETED_SESSION,
    )) === 1;

  /** A job that was refused because Redis did not answer may reach it all the same; this comes right behind it. */
  async function revoke({ kind, job_id: jobId, session_id: sessionId }: JobPayload): Promise<void> {
    await Promise.allSettled([
      queues[kind].remove(jobId),
      redis.del(keys.upload(jobId)),
      ...(sessionId === null ? [] : [redis.lrem(keys.sessionQueue(sessionId), 1, `${kind}:${jobId}`)]),
    ]);
  }

  /** Cancels what is ahead of a job that interrupts: the API that accepted it may have died before it came to that. */
  async function interruptAhead(sessionId: string, entry: string): Promise<void> {
    const turns = await redis.lrange(keys.sessionQueue(sessionId), 0, -1);
    const ahead = turns.slice(0, Math.max(0, turns.indexOf(entry)));
    await Promise.all(ahead.map((other) => cancel(...splitEntry(other))));
  }

  /** The same request again: its job is joined; one that was recorded and never queued (a crash between) is queued. */
  async function join(request: AcceptRequest, record: IdempotencyRecord): Promise<Accepted> {
    const { payload, idempotency } = request;
    if (record.body_hash !== idempotency?.bodyHash) throw new PlatformError("idempotency_key_reused");
    const joined = { ...payload, job_id: record.job_id, session_id: record.session_id };
    const entry = `${payload.kind}:${record.job_id}`;
    const isKnown =
      (await redis.exists(keys.queuedJob(payload.kind, record.job_id))) === 1 ||
      (await hasStarted(payload.owner, record.job_id));
    if (!isKnown) {
      // No row, and no trace of its session: it was deleted since.
      const sessionGone =
        record.session_id !== null &&
        decodePendingSession(await redis.get(keys.pendingSession(record.session_id))) === null &&
        !(await hasSession(payload.owner, record.session_id));
      if (sessionGone) throw new PlatformError("session_not_found");
      // Its turn was dropped, if anybody has looked since, because no queue had its job.
      if (record.session_id !== null && !(await joinSessionQueue(record.session_id, entry))) {
        throw new PlatformError("session_not_found");
      }
      await enqueue(joined, request);
    }
    if (request.onBusy === "interrupt" && record.session_id !== null) await interruptAhead(record.session_id, entry);
    return { isNew: false, jobId: record.job_id, sessionId: record.session_id };
  }

  return {
    queues,
    admission,
    /** Writes a key and reads it back, as accepting a job needs it. */
    probe: () => orUnavailable(redis, () => Promise.all([redis.set(keys.probe, "1", "EX", 60), redis.get(keys.probe)])),
    accept: (request: AcceptRequest) =>
      orUnavailable(redis, async () => {
        try {
          return await accept(request);
        } catch (error) {
          if (!(error instanceof PlatformError) && request.idempotency === null) void revoke(request.payload);
          throw error;
        }
      }),
    cancel: (kind: JobKind, jobId: string) => orUnavailable(redis, () => cancel(kind, jobId)),

    /** Orders the deletion; its `done` appears in the event log of `receiptId`. Throws `session_busy`. */
    deleteSession: (owner: string, sessionId: string, receiptId: string) =>
      orUnavailable(redis, async () => {
        const head = await closeSession({
          queue: keys.sessionQueue(sessionId),
          pending: keys.pendingSession(sessionId),
          bullmq_prefix: keys.bullmq,
          deleted_mark: DELETED_SESSION,
          deleted_ttl: PENDING_SESSION_TTL_S,
        });
        if (head !== null) throw busy(head);
        await addMaintenance(
          { action: "delete_session", session_id: sessionId, owner, receipt_id: receiptId },
          receiptId,
        );
      }),

    /** A session that was accepted and has no row yet. */
    findPendingSession: (owner: string, sessionId: string): Promise<PendingSession | null> =>
      orUnavailable(redis, async () => {
        const stub = decodePendingSession(await redis.get(keys.pendingSession(sessionId)));
        return stub?.owner === owner ? stub : null;
      }),

    async close(): Promise<void> {
      await Promise.all([...Object.values(queues), maintenance].map((queue) => queue.close()));
    },
  };
}

const splitEntry = (entry: string) => entry.split(":") as [JobKind, string];

const busy = (entry: string) => new PlatformError("session_busy", { details: { job_id: splitEntry(entry)[1] } });
