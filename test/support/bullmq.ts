/**
 * BullMQ as tests read and change it from outside. Its key names and its fields are spelt in this file only, so that an
 * upgrade of BullMQ changes one file. Vitest is not imported, because a chaos run uses this file without it.
 */
import type { AgentManifest } from "@agent-paas/shared/contract/agents.ts";
import { JOB_QUEUES, type JobQueue, MAINTENANCE_QUEUE } from "@agent-paas/shared/contract/jobs.ts";
import { newId } from "@agent-paas/shared/ids.ts";
import type { RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { type KeepJobs, Queue } from "bullmq";
import type { Redis } from "ioredis";

/** A Redis and the keys of one platform in it; a `TestPlatform` is one. */
export type PlatformRedis = { readonly redis: Redis; readonly keys: RedisKeys };

export type QueueName = JobQueue | typeof MAINTENANCE_QUEUE;

const QUEUES: readonly QueueName[] = [...JOB_QUEUES, MAINTENANCE_QUEUE];

/** BullMQ scores a delayed job by its time in ms, times this, plus a counter. */
const DELAYED_SCORE_PER_MS = 0x1000;

const lockOf = (keys: RedisKeys, kind: JobQueue, jobId: string) => `${keys.queuedJob(kind, jobId)}:lock`;
const keyOf = (keys: RedisKeys, queue: QueueName, name: "active" | "delayed" | "failed" | "wait") =>
  `${keys.bullmq}:${queue}:${name}`;

/** How every key of BullMQ begins on this platform. */
export const bullmqKeyPrefixes = (keys: RedisKeys): string[] => QUEUES.map((queue) => `${keys.bullmq}:${queue}:`);

/** The payload of a job as its queue has it. */
export async function queuedData({ redis, keys }: PlatformRedis, kind: JobQueue, jobId: string): Promise<unknown> {
  const data = await redis.hget(keys.queuedJob(kind, jobId), "data");
  return data === null ? null : JSON.parse(data);
}

/** Deletes the lock on a job, which would expire 20 s after the death of its worker. */
export async function dropLock({ redis, keys }: PlatformRedis, kind: JobQueue, ...jobIds: string[]): Promise<void> {
  await redis.del(...jobIds.map((jobId) => lockOf(keys, kind, jobId)));
}

/** The same for an order of the maintenance queue. */
export async function dropOrderLock({ redis, keys }: PlatformRedis, orderId: string): Promise<void> {
  await redis.del(`${keys.bullmq}:${MAINTENANCE_QUEUE}:${orderId}:lock`);
}

/** Another owner holds the lock, so the worker that runs the job cannot renew it. */
export async function takeLockAway({ redis, keys }: PlatformRedis, kind: JobQueue, jobId: string): Promise<void> {
  await redis.set(lockOf(keys, kind, jobId), "another-owner", "PX", 60_000);
}

/** Publishes an agent as a worker does; it stays for days, also when no worker has it. */
export async function publishManifest({ redis, keys }: PlatformRedis, manifest: AgentManifest): Promise<void> {
  await redis.hset(keys.agents, manifest.id, JSON.stringify(manifest));
}

/** Writes the presence of a worker as it was at that time, by the clock of Redis. */
export async function publishPresence({ redis, keys }: PlatformRedis, workerId: string, at: number): Promise<void> {
  const record = JSON.stringify({ id: workerId, agents: ["chat_basic"], can_write: true });
  await redis.hset(keys.workers, workerId, `${at} ${record}`);
}

export const isPresent = async ({ redis, keys }: PlatformRedis, workerId: string): Promise<boolean> =>
  (await redis.hexists(keys.workers, workerId)) === 1;

export const isQueued = async ({ redis, keys }: PlatformRedis, kind: JobQueue, jobId: string): Promise<boolean> =>
  (await redis.exists(keys.queuedJob(kind, jobId))) === 1;

/** The maintenance queue loses an order that nobody has begun. */
export async function loseOrder({ redis, keys }: PlatformRedis, orderId: string): Promise<void> {
  await redis.lrem(keyOf(keys, MAINTENANCE_QUEUE, "wait"), 0, orderId);
  await redis.del(keys.queuedJob(MAINTENANCE_QUEUE, orderId));
}

/** The queue loses a job, whatever its state: BullMQ's record of it, its lock and its place among the running jobs. */
export async function loseQueuedJob({ redis, keys }: PlatformRedis, kind: JobQueue, jobId: string): Promise<void> {
  await redis.del(keys.queuedJob(kind, jobId), lockOf(keys, kind, jobId));
  await redis.lrem(keyOf(keys, kind, "active"), 0, jobId);
  await redis.lrem(keyOf(keys, kind, "wait"), 0, jobId);
}

/**
 * The queue's entry of a job stays, in none of the lists and without a place: as a failover leaves a job that was in
 * none of them until the last second.
 */
export async function leaveLists(
  { redis, keys }: PlatformRedis,
  kind: JobQueue,
  { jobId, owner = "alice" }: { readonly jobId: string; readonly owner?: string },
): Promise<void> {
  await redis
    .multi()
    .lrem(keyOf(keys, kind, "wait"), 0, jobId)
    .lrem(keyOf(keys, kind, "active"), 0, jobId)
    .zrem(keyOf(keys, kind, "delayed"), jobId)
    .zrem(keys.places(kind), `${owner}:${jobId}`)
    .zrem(keys.ownerQueues(kind), `${owner}:${jobId}`)
    .del(lockOf(keys, kind, jobId))
    .exec();
}

/** Whether the queue has the entry of a job in none of its lists. */
export async function isOutsideLists({ redis, keys }: PlatformRedis, kind: JobQueue, jobId: string): Promise<boolean> {
  const [entry, ...places] = await Promise.all([
    redis.exists(keys.queuedJob(kind, jobId)),
    redis.lpos(keyOf(keys, kind, "wait"), jobId),
    redis.lpos(keyOf(keys, kind, "active"), jobId),
    redis.zscore(keyOf(keys, kind, "delayed"), jobId),
  ]);
  return entry === 1 && places.every((place) => place === null);
}

/** The size of what the queue's entry of a job carries, bytes. */
export const queuedBytes = ({ redis, keys }: PlatformRedis, kind: JobQueue, jobId: string): Promise<number> =>
  redis.hstrlen(keys.queuedJob(kind, jobId), "data");

export async function countWaiting({ redis, keys }: PlatformRedis, kind: JobQueue): Promise<number> {
  return (await redis.llen(keyOf(keys, kind, "wait"))) + (await redis.zcard(keys.ownerQueues(kind)));
}

/** The live workers have so many slots for jobs of the queue, `own` of them for one owner alone. */
export async function setSlots(
  { redis, keys }: PlatformRedis,
  queue: JobQueue,
  { own, all }: { readonly own: number; readonly all: number },
): Promise<void> {
  await redis.hset(keys.slots, queue, all, `${queue}:own`, own);
}

/** How many jobs of the queue one owner alone may run, as the live workers have said. */
export const slotsOfOne = async ({ redis, keys }: PlatformRedis, queue: JobQueue): Promise<number> =>
  Number(await redis.hget(keys.slots, `${queue}:own`));

export const isDelayed = async ({ redis, keys }: PlatformRedis, kind: JobQueue, jobId: string): Promise<boolean> =>
  (await redis.zscore(keyOf(keys, kind, "delayed"), jobId)) !== null;

/** Makes a delayed job due now. False: the job is not delayed. */
export async function makeDue({ redis, keys }: PlatformRedis, kind: JobQueue, jobId: string): Promise<boolean> {
  return Number(await redis.zadd(keyOf(keys, kind, "delayed"), "XX", "CH", 0, jobId)) === 1;
}

/** Moves the time of delayed jobs to `delayMs` from now. Returns how many of them are delayed. */
export async function postpone(
  { redis, keys }: PlatformRedis,
  kind: JobQueue,
  jobIds: readonly string[],
  delayMs: number,
): Promise<number> {
  const score = (Date.now() + delayMs) * DELAYED_SCORE_PER_MS;
  const members = jobIds.flatMap((jobId) => [score, jobId]);
  return Number(await redis.zadd(keyOf(keys, kind, "delayed"), "XX", "CH", ...members));
}

/** A delayed job fails as BullMQ fails a job that stalled too often, and no listener receives the event. */
export async function failUnnoticed(
  { redis, keys }: PlatformRedis,
  kind: JobQueue,
  jobId: string,
  reason: string,
): Promise<void> {
  const now = Date.now();
  await redis
    .multi()
    .zrem(keyOf(keys, kind, "delayed"), jobId)
    .hset(keys.queuedJob(kind, jobId), "finishedOn", now, "failedReason", reason)
    .zadd(keyOf(keys, kind, "failed"), now, jobId)
    .exec();
}

/**
 * Adds a job that workers refuse because its payload cannot be read. When BullMQ has failed it, it keeps so many of the
 * queue's failed jobs, for so many seconds. Returns its id.
 */
export async function addUnreadable(
  { redis, keys }: PlatformRedis,
  kind: JobQueue,
  removeOnFail: KeepJobs,
): Promise<string> {
  const queue = new Queue(kind, { connection: redis, prefix: keys.bullmq });
  try {
    const jobId = newId();
    await queue.add(kind, { job_id: jobId, kind, owner: "bob", session_id: null, text: 7 }, { jobId, removeOnFail });
    return jobId;
  } finally {
    await queue.close();
  }
}

export const hasFailed = async ({ redis, keys }: PlatformRedis, kind: JobQueue, jobId: string): Promise<boolean> =>
  (await redis.zscore(keyOf(keys, kind, "failed"), jobId)) !== null;

/** A failed job looks as if it had failed so many ms ago. */
export async function ageFailure(
  { redis, keys }: PlatformRedis,
  kind: JobQueue,
  jobId: string,
  ageMs: number,
): Promise<void> {
  const failedAt = Date.now() - ageMs;
  await redis.hset(keys.queuedJob(kind, jobId), "finishedOn", failedAt);
  await redis.zadd(keyOf(keys, kind, "failed"), failedAt, jobId);
}

/** For how long (s) and up to how many failed jobs BullMQ keeps, as the job was added. */
export async function keptWhenFailed({ redis, keys }: PlatformRedis, kind: JobQueue, jobId: string): Promise<unknown> {
  const options = await redis.hget(keys.queuedJob(kind, jobId), "opts");
  return JSON.parse(options ?? "{}").removeOnFail;
}

/** Whether a worker holds the connection on which it waits for jobs of the queue. Stopping closes it at once. */
export async function isFetching({ redis, keys }: PlatformRedis, kind: JobQueue): Promise<boolean> {
  const queue = new Queue(kind, { connection: redis, prefix: keys.bullmq });
  try {
    return (await queue.getWorkersCount()) > 0;
  } finally {
    await queue.close();
  }
}

/** Also those that wait for a place. */
export async function waitingJobIds({ redis, keys }: PlatformRedis, kind: JobQueue): Promise<string[]> {
  const outside = await redis.zrange(keys.ownerQueues(kind), 0, -1);
  return [
    ...(await redis.lrange(keyOf(keys, kind, "wait"), 0, -1)),
    ...outside.map((member) => member.split(":")[1] ?? ""),
  ];
}

/** No queue has a job that can still run. The next run of a schedule is always delayed and does not count. */
export async function areQueuesIdle({ redis, keys }: PlatformRedis): Promise<boolean> {
  const counts = await Promise.all(
    QUEUES.flatMap((queue) => [
      redis.llen(keyOf(keys, queue, "wait")),
      redis.llen(keyOf(keys, queue, "active")),
      queue === MAINTENANCE_QUEUE ? 0 : redis.zcard(keys.ownerQueues(queue)),
      queue === MAINTENANCE_QUEUE ? 0 : redis.zcard(keys.places(queue)),
      redis
        .zrange(keyOf(keys, queue, "delayed"), 0, -1)
        .then((jobIds) => jobIds.filter((jobId) => !jobId.startsWith("repeat:")).length),
    ]),
  );
  return counts.every((count) => count === 0);
}
