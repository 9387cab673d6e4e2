/**
 * Reads jobs from the queues, which hold the only trace of a job until a worker starts it. It reads small fields of the
 * owner's own jobs, on a connection of its own: however many jobs wait, and however large they are, lists and polls
 * hold up no accept.
 */

import {
  JOB_QUEUES,
  type JobKind,
  type JobPayload,
  type JobQueue,
  QueuedPayloadSchema,
  queueOf,
  SIZEABLE_FIELDS,
  type SizeableField,
} from "@agent-paas/shared/contract/jobs.ts";
import { joinPayload } from "@agent-paas/shared/contract/large-fields.ts";
import { parseTimeline, type Timeline } from "@agent-paas/shared/contract/timeline.ts";
import { parseJson } from "@agent-paas/shared/json/exact-json.ts";
import type { RedisConnection } from "@agent-paas/shared/redis/connect.ts";
import type { RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { encodeEntry } from "@agent-paas/shared/redis/session-queue.ts";
import { orUnavailable } from "./or-unavailable.ts";
import { createWaitingJobs, type WaitingJob, type WaitingJobsFilter } from "./waiting-jobs.ts";

export type QueuedJob = {
  /** Neutral values stand for its large fields, those that are shown excepted. */
  readonly payload: JobPayload;
  /**
   * 1 is next among the owner's jobs of its kind or, while its session is busy, in its session queue; null for a job
   * that is delayed for another reason.
   */
  readonly position: number | null;
};

/** What tells a started job's place in its queue; a row of the database has it. */
export type StartedJob = {
  readonly id: string;
  readonly owner: string;
  readonly kind: JobKind;
  readonly agent_type: string;
  readonly session_id: string | null;
};

type Placed = Pick<JobPayload, "kind" | "job_id" | "owner" | "agent_type" | "session_id">;

/** The fields of a payload that are shown, and that may be large: by lists, and of one job. */
const LISTED_FIELDS: readonly SizeableField[] = ["metadata"];
const SHOWN_FIELDS: readonly SizeableField[] = [...LISTED_FIELDS, "request"];

export type QueuedJobs = ReturnType<typeof createQueuedJobs>;

/** `redis` is not the connection on which jobs are accepted. */
export function createQueuedJobs(redis: RedisConnection, keys: RedisKeys) {
  const waitingJobs = createWaitingJobs(redis, keys);

  async function position(job: Placed): Promise<number | null> {
    const { kind, job_id: jobId, owner, session_id: sessionId } = job;
    const [delayedTo, ahead, jobsAhead] = await Promise.all([
      redis.zscore(keys.delayedJobs(queueOf(job)), jobId),
      waitingJobs.ahead(kind, owner, jobId),
      sessionId === null ? null : redis.lpos(keys.sessionQueue(sessionId), encodeEntry({ kind, jobId })),
    ]);
    return delayedTo === null ? ahead + 1 : jobsAhead || null;
  }

  /** Of a started job that no worker holds any more, because its worker stopped or died; null while one has it. */
  async function placeAgain({ id, ...job }: StartedJob): Promise<{ position: number | null } | null> {
    const queue = queueOf(job);
    // In this order: a job that ends between two of them is gone from its queue by the last.
    const [locked, delayed, [addedAt, finishedAt]] = await Promise.all([
      redis.exists(keys.jobLock(queue, id)),
      redis.zscore(keys.delayedJobs(queue), id),
      redis.hmget(keys.queuedJob(queue, id), "timestamp", "finishedOn"),
    ]);
    const waits = locked === 0 && delayed === null && addedAt !== null && finishedAt === null;
    return waits ? { position: await position({ ...job, job_id: id }) } : null;
  }

  /** The payload as the queue has it, with the fields that are shown; null if the queue has none that can be read. */
  async function readPayload(
    queue: JobQueue,
    jobId: string,
    shown: readonly SizeableField[],
  ): Promise<JobPayload | null> {
    const data = await redis.hget(keys.queuedJob(queue, jobId), "data");
    const payload = data === null ? undefined : QueuedPayloadSchema.safeParse(parseJson(data)).data;
    if (payload === undefined) return null;
    const fields = shown.filter((field) => payload.large_fields?.includes(field));
    if (fields.length === 0) return payload;
    const texts = await redis.hmget(keys.payload(jobId), ...fields);
    const stored = fields.flatMap((field, at) => (typeof texts[at] === "string" ? [[field, texts[at]] as const] : []));
    return QueuedPayloadSchema.parse(joinPayload(payload, Object.fromEntries(stored)));
  }

  async function payloadOf(owner: string, jobId: string, shown: readonly SizeableField[]): Promise<JobPayload | null> {
    const found = await Promise.all(JOB_QUEUES.map((queue) => readPayload(queue, jobId, shown)));
    return found.find((one) => one?.owner === owner) ?? null;
  }

  async function find(owner: string, jobId: string): Promise<QueuedJob | null> {
    const payload = await payloadOf(owner, jobId, SHOWN_FIELDS);
    return payload === null ? null : { payload, position: await position(payload) };
  }

  return {
    find: (owner: string, jobId: string) => orUnavailable(redis, () => find(owner, jobId)),

    /** All that the job's request gave, as long as the job has no row; null if no queue has it. */
    given: (owner: string, jobId: string): Promise<JobPayload | null> =>
      orUnavailable(redis, () => payloadOf(owner, jobId, SIZEABLE_FIELDS)),

    /** Those of the started jobs that wait in their queue again, by id. */
    waitingAgain: (started: readonly StartedJob[]): Promise<ReadonlyMap<string, { position: number | null }>> =>
      orUnavailable(redis, async () => {
        const places = await Promise.all(started.map(async (job) => [job.id, await placeAgain(job)] as const));
        return new Map(places.flatMap(([id, place]) => (place === null ? [] : [[id, place] as const])));
      }),

    /** Whether a queue has the job, whoever owns it and whatever its payload. */
    has: (jobId: string): Promise<boolean> =>
      orUnavailable(redis, async () => {
        const names = JOB_QUEUES.map((queue) => keys.queuedJob(queue, jobId));
        return (await redis.exists(...names)) > 0;
      }),

    /** The newest `count` entries of the owner's index. */
    waiting: (owner: string, filter: WaitingJobsFilter, count: number): Promise<WaitingJob[]> =>
      orUnavailable(redis, () => waitingJobs.page(owner, filter, count)),

    /** The jobs of these entries that their queue still has. */
    read: (entries: readonly WaitingJob[]): Promise<QueuedJob[]> =>
      orUnavailable(redis, async () => {
        const jobs = await Promise.all(
          entries.map(async ({ kind, agentType, jobId }) => {
            const payload = await readPayload(queueOf({ kind, agent_type: agentType }), jobId, LISTED_FIELDS);
            return payload === null ? [] : [{ payload, position: await position(payload) }];
          }),
        );
        return jobs.flat();
      }),

    /** The latest progress that a running job has reported; null if it has reported none. */
    progress: (jobId: string): Promise<unknown> =>
      orUnavailable(redis, async () => {
        const text = await redis.hget(keys.jobState(jobId), "progress");
        return text === null ? null : parseJson(text);
      }),

    /** What the worker of a running job has recorded of it; null if nothing yet, or it has ended. */
    timeline: (jobId: string): Promise<Timeline | null> =>
      orUnavailable(redis, async () => parseTimeline(await redis.hget(keys.jobState(jobId), "timeline"))),
  };
}
