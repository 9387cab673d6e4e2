/** Reads jobs from the queues, which hold the only trace of a job until a worker starts it. */
import {
  JOB_QUEUES,
  type JobKind,
  type JobPayload,
  JobPayloadSchema,
  queueOf,
} from "@agent-paas/shared/contract/jobs.ts";
import type { RedisConnection } from "@agent-paas/shared/redis/connect.ts";
import type { RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { encodeEntry } from "@agent-paas/shared/redis/session-queue.ts";
import { orUnavailable } from "./or-unavailable.ts";
import type { Queues } from "./queues.ts";

export type QueuedJob = {
  readonly payload: JobPayload;
  /**
   * 1 is next, in its queue or, while its session is busy, in its session queue; null for a delayed job. For a job
   * that waits in its owner's queue it counts the owner's jobs; those of others take their turns between them.
   */
  readonly position: number | null;
};

/** What tells a started job's place in its queue; a row of the database has it. */
export type StartedJob = {
  readonly id: string;
  readonly kind: JobKind;
  readonly owner: string;
  readonly agent_type: string;
  readonly session_id: string | null;
};

/** How many waiting jobs of each queue a list considers. */
const SCAN_LIMIT = 200;

type PlaceField = "kind" | "job_id" | "owner" | "agent_type" | "session_id";

export type QueuedJobs = ReturnType<typeof createQueuedJobs>;

export type QueuedJobsOptions = {
  readonly redis: RedisConnection;
  readonly keys: RedisKeys;
  readonly queues: Pick<Queues, "findPayload" | "waitingPayloads">;
};

export function createQueuedJobs({ redis, keys, queues }: QueuedJobsOptions) {
  async function position(payload: Pick<JobPayload, PlaceField>): Promise<number | null> {
    const { kind, job_id: jobId, owner, session_id: sessionId } = payload;
    const queue = queueOf(payload);
    const [wait, owners, member] = [keys.waitingJobs(queue), keys.ownerQueues(queue), `${owner}:${jobId}`];
    const [at, length, waits, ownAhead, jobsAhead] = await Promise.all([
      redis.lpos(wait, jobId),
      redis.llen(wait),
      redis.zscore(owners, member),
      redis.zlexcount(owners, `[${owner}:`, `(${member}`),
      sessionId === null ? null : redis.lpos(keys.sessionQueue(sessionId), encodeEntry({ kind, jobId })),
    ]);
    // New jobs enter BullMQ's wait list at its head and are taken from its tail.
    if (at !== null) return length - at;
    return waits === null ? jobsAhead || null : length + ownAhead + 1;
  }

  /** Of a started job that no worker holds any more, because its worker stopped or died; null while one has it. */
  async function placeAgain({ id, ...job }: StartedJob): Promise<{ position: number | null } | null> {
    const queue = queueOf(job);
    // In this order: a job that ends between two of them is gone from its queue by the last.
    const [active, delayed, [addedAt, finishedAt]] = await Promise.all([
      redis.lpos(keys.activeJobs(queue), id),
      redis.zscore(keys.delayedJobs(queue), id),
      redis.hmget(keys.queuedJob(queue, id), "timestamp", "finishedOn"),
    ]);
    const waits = active === null && delayed === null && addedAt !== null && finishedAt === null;
    return waits ? { position: await position({ ...job, job_id: id }) } : null;
  }

  async function find(owner: string, jobId: string): Promise<QueuedJob | null> {
    const payload = JobPayloadSchema.safeParse(await queues.findPayload(jobId)).data;
    if (payload === undefined || payload.owner !== owner) return null;
    return { payload, position: await position(payload) };
  }

  return {
    find: (owner: string, jobId: string) => orUnavailable(redis, () => find(owner, jobId)),

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

    position: (payload: JobPayload) => orUnavailable(redis, () => position(payload)),

    /** The owner's jobs among the first that wait, newest first. */
    list: (owner: string): Promise<JobPayload[]> =>
      orUnavailable(redis, async () =>
        (await queues.waitingPayloads(owner, SCAN_LIMIT))
          .map((payload) => JobPayloadSchema.safeParse(payload).data)
          .filter((payload): payload is JobPayload => payload?.owner === owner)
          .sort((a, b) => (a.job_id < b.job_id ? 1 : -1)),
      ),

    /** The latest progress that a running job has reported; null if it has reported none. */
    progress: (jobId: string): Promise<unknown> =>
      orUnavailable(redis, async () => {
        const text = await redis.hget(keys.jobState(jobId), "progress");
        return text === null ? null : JSON.parse(text);
      }),
  };
}
