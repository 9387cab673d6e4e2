/**
 * Every Redis key and channel of the platform is built here. Keys that one script touches have the same hash tag, so
 * that they share a slot of Redis Cluster: `{prefix}` for queues, sessions and workers, `{prefix:eN}` for the states
 * and event logs of the jobs of shard N. On a cluster, one call can carry the batches of all jobs of a shard.
 */
import { hash } from "node:crypto";
import type { JobKind, JobQueue, MAINTENANCE_QUEUE } from "../contract/jobs.ts";

/** A queue of BullMQ, that of the platform's own tasks included. */
type AnyQueue = JobQueue | typeof MAINTENANCE_QUEUE;

/**
 * The number of event shards. It is fixed for the life of an installation, because the shard of a job follows from the
 * job's id. More shards use more nodes of a cluster; fewer shards put more batches into one call.
 */
export const EVENT_SHARDS = 4;

/**
 * The shard of a job's events, from 0 to `EVENT_SHARDS` - 1. It follows from the id's last digits, which are random.
 */
export const shardOf = (jobId: string): number => Number.parseInt(jobId.slice(-4), 16) % EVENT_SHARDS;

export type RedisKeys = ReturnType<typeof createRedisKeys>;

export function createRedisKeys(prefix: string) {
  const base = `{${prefix}}`;
  const shards = Array.from({ length: EVENT_SHARDS }, (_, at) => `{${prefix}:e${at}}`);
  const shard = (jobId: string) => `{${prefix}:e${shardOf(jobId)}}`;
  const digest = (text: string) => hash("sha256", text);
  return {
    /** The hash tag of all keys but those of the event shards, and the tags of these. */
    home: base,
    shards,
    /** The `prefix` option of every BullMQ object. */
    bullmq: base,
    /** BullMQ's hash of one job. */
    queuedJob: (queue: AnyQueue, jobId: string) => `${base}:${queue}:${jobId}`,
    /** BullMQ's lock on a job, while a worker holds it. */
    jobLock: (queue: JobQueue, jobId: string) => `${base}:${queue}:${jobId}:lock`,
    /** BullMQ's lists of a queue's waiting jobs and of those workers hold, and its sorted set of the delayed ones. */
    waitingJobs: (queue: JobQueue) => `${base}:${queue}:wait`,
    activeJobs: (queue: AnyQueue) => `${base}:${queue}:active`,
    delayedJobs: (queue: JobQueue) => `${base}:${queue}:delayed`,
    /** BullMQ's set of the active jobs that its next check moves if they have no lock, and what delays that check. */
    stalledJobs: (queue: AnyQueue) => `${base}:${queue}:stalled`,
    stalledCheck: (queue: AnyQueue) => `${base}:${queue}:stalled-check`,
    /** BullMQ's sorted set by which workers that wait learn of a job. */
    jobMarker: (queue: JobQueue) => `${base}:${queue}:marker`,

    /** Sorted set of `owner:job id`: the jobs that hold a place in the queue. */
    places: (queue: JobQueue) => `${base}:places:${queue}`,
    /** Sorted set of `owner:job id`: the jobs that wait for a place, by owner. */
    ownerQueues: (queue: JobQueue) => `${base}:owner-queues:${queue}`,
    /** Hash: of each queue, the slots of all live workers, what one owner alone may use, and whose turn was last. */
    slots: `${base}:slots`,

    /**
     * Hash: fencing_token, attempts, unfinished_attempts, isolated_after, blocking_token, ended, cancel, progress,
     * timeline of one job.
     */
    jobState: (jobId: string) => `${shard(jobId)}:job:${jobId}`,
    /** Whether a key is the state of a job. */
    isJobState: (key: string) => key.startsWith(`{${prefix}:e`) && key.includes("}:job:"),
    /** Stream: the event log of one job. Each entry is one batch, with the id `<last seq>-<first seq>`. */
    eventLog: (jobId: string) => `${shard(jobId)}:events:${jobId}`,
    /** Hash: request id → the decision on an inquiry of the job, as JSON. */
    decisions: (jobId: string) => `${shard(jobId)}:decisions:${jobId}`,
    /** Channel: the batches of one job, live. */
    eventChannel: (jobId: string) => `${shard(jobId)}:live:${jobId}`,

    /** String: a pending session as JSON, or `DELETED_SESSION`. */
    pendingSession: (sessionId: string) => `${base}:session:${sessionId}`,
    /** List of `kind:job id`: the jobs of a session in the order accepted; the head may run (I6). */
    sessionQueue: (sessionId: string) => `${base}:session-queue:${sessionId}`,
    /** The key of the session queue in version 0.1.0. */
    formerSessionQueue: (sessionId: string) => `${base}:turns:${sessionId}`,
    /** String: the version of this layout of keys, `3`. */
    layout: `${base}:layout`,
    /** Pattern of every key of the installation, those of the event shards too. */
    all: `{${prefix}[}:]*`,
    /** String: the request that an owner's Idempotency-Key was used for. An empty key names nothing. */
    idempotency: (owner: string, key: string) => `${base}:idem:${key === "" ? "" : digest(`${owner}\n${key}`)}`,

    /** Hash: the large fields of a job's payload, by name, as JSON. */
    payload: (jobId: string) => `${base}:payload:${jobId}`,
    /** Sorted set: the owner index, an owner's waiting jobs of one kind by id; see `owner-index.ts`. */
    ownerIndex: (kind: JobKind, owner: string) => `${base}:owner-${kind}:${owner}`,
    /** Sorted set of the same entries: an owner's started jobs that have something stored until they end. */
    ownerStored: (owner: string) => `${base}:owner-stored:${owner}`,
    /** Hash: owner → how many bytes the jobs in the owner's two indexes and that set hold. */
    ownerBytes: `${base}:owner-bytes`,
    /** String: the file of the document that an ingest will store, as bytes. */
    upload: (jobId: string) => `${base}:upload:${jobId}`,

    /** Hash: collection → the worker that writes it to the vector store, and until when. */
    storeTurns: `${base}:store-turns`,
    /** Hash: worker → since when it waits for such a turn. */
    storeTurnsWaiting: `${base}:store-turns-waiting`,

    /** Hash: worker id → worker record. */
    workers: `${base}:workers`,
    /** Sorted set by interval: the samples of all workers, each behind the number of jobs that waited. */
    samples: `${base}:samples`,
    /** Hash: agent id → manifest. */
    agents: `${base}:agents`,
    /** String: the name of a worker whose thread is blocked by a run that is not known yet. */
    blockedWorker: `${base}:blocked-worker`,
    /** String: the lock of the worker whose reaper runs. */
    reaper: `${base}:reaper`,
    /** String: the id of the installation, that of its database. */
    installation: `${base}:installation`,
    /** Strings: health checks write and read them, one for each hash tag. */
    probes: [base, ...shards].map((tag) => `${tag}:probe`),
    /** The one of them that is on the server of the job's state. */
    probeOf: (jobId: string) => `${shard(jobId)}:probe`,
    /** Channels: ids of jobs to cancel. They only save time; the request itself is in the job's state. */
    cancelChannel: (jobId: string) => `${shard(jobId)}:cancel`,
    cancelChannels: shards.map((tag) => `${tag}:cancel`),
    /** The channel on which APIs of version 0.1.0 ask for cancels. */
    formerCancelChannel: `${base}:cancel`,
  };
}
