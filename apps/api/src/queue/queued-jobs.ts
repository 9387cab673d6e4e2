/** Reads jobs from the queue: the only trace of a job until a worker has started it. */
import { JOB_KINDS, type JobKind, type JobPayload, JobPayloadSchema } from "@agent-paas/shared/contract/jobs.ts";
import type { RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import type { Queue } from "bullmq";
import type { Redis } from "ioredis";
import { orUnavailable } from "./or-unavailable.ts";

export type QueuedJob = {
  readonly payload: JobPayload;
  /** 1 is next, in its queue or, while its session is busy, in its session; null when it waits for a time (a retry). */
  readonly position: number | null;
};

/** How many waiting jobs of each queue a list looks at. */
const SCAN_LIMIT = 200;

export type QueuedJobs = ReturnType<typeof createQueuedJobs>;

export function createQueuedJobs(redis: Redis, keys: RedisKeys, queues: Record<JobKind, Queue>) {
  async function position({ kind, job_id: jobId, session_id: sessionId }: JobPayload): Promise<number | null> {
    // New jobs enter BullMQ's wait list at its head and are taken from its tail.
    const wait = keys.waitingJobs(kind);
    const [at, length, turn] = await Promise.all([
      redis.lpos(wait, jobId),
      redis.llen(wait),
      sessionId === null ? null : redis.lpos(keys.sessionQueue(sessionId), `${kind}:${jobId}`),
    ]);
    return at === null ? turn || null : length - at;
  }

  async function find(owner: string, jobId: string): Promise<QueuedJob | null> {
    const found = await Promise.all(JOB_KINDS.map((kind) => queues[kind].getJob(jobId)));
    const job = found.find((candidate) => candidate !== undefined);
    const payload = JobPayloadSchema.safeParse(job?.data).data;
    if (payload === undefined || payload.owner !== owner) return null;
    return { payload, position: await position(payload) };
  }

  return {
    find: (owner: string, jobId: string) => orUnavailable(redis, () => find(owner, jobId)),

    position: (payload: JobPayload) => orUnavailable(redis, () => position(payload)),

    /** The owner's jobs among the first that wait, newest first. */
    list: (owner: string): Promise<JobPayload[]> =>
      orUnavailable(redis, async () => {
        const jobs = await Promise.all(
          Object.values(queues).map((queue) => queue.getJobs(["waiting", "delayed", "prioritized"], 0, SCAN_LIMIT - 1)),
        );
        return jobs
          .flat()
          .map((job) => JobPayloadSchema.safeParse(job?.data).data)
          .filter((payload): payload is JobPayload => payload?.owner === owner)
          .sort((a, b) => (a.job_id < b.job_id ? 1 : -1));
      }),

    /** What a running job last said of its progress. */
    progress: (jobId: string): Promise<unknown> =>
      orUnavailable(redis, async () => {
        const text = await redis.hget(keys.jobState(jobId), "progress");
        return text === null ? null : JSON.parse(text);
      }),
  };
}
