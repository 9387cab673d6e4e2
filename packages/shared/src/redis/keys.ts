/**
 * Every Redis key and channel of the platform is built here. Keys that one script touches carry one hash tag, so they
 * share a slot of Redis Cluster: `{prefix}` for queues, sessions and workers; `{prefix:eN}` for the events of the jobs
 * of shard N, so that on a cluster one call carries the batches of all jobs of a shard.
 */
import { createHash } from "node:crypto";
import type { JobKind } from "../contract/jobs.ts";

/**
 * Fixed for the life of an installation: a job's shard follows from its id. More shards spread over more Redis nodes,
 * fewer make larger batches.
 */
export const EVENT_SHARDS = 4;

/** The shard of a job's events, 0 to `EVENT_SHARDS` - 1; from the last, random digits of its id. */
export const shardOf = (jobId: string): number => Number.parseInt(jobId.slice(-4), 16) % EVENT_SHARDS;

export type RedisKeys = ReturnType<typeof createRedisKeys>;

export function createRedisKeys(prefix: string) {
  const base = `{${prefix}}`;
  const shard = (jobId: string) => `{${prefix}:e${shardOf(jobId)}}`;
  const digest = (text: string) => createHash("sha256").update(text).digest("hex");
  return {
    /** The `prefix` option of every BullMQ object. */
    bullmq: base,
    /** BullMQ's own hash of one job. */
    queuedJob: (kind: JobKind, jobId: string) => `${base}:${kind}:${jobId}`,
    /** BullMQ's own list of a queue's waiting jobs, and its sorted set of those that wait for a time. */
    waitingJobs: (kind: JobKind) => `${base}:${kind}:wait`,
    delayedJobs: (kind: JobKind) => `${base}:${kind}:delayed`,

    /** Hash: fencing_token, attempts, unfinished_attempts, isolated_after, seq, ended, cancel, progress of one job. */
    jobState: (jobId: string) => `${shard(jobId)}:job:${jobId}`,
    /** Pattern of the job states of one event shard. */
    jobStatesOf: (eventShard: number) => `{${prefix}:e${eventShard}}:job:*`,
    /** Stream: the event log of one job, an entry per batch, its id `<last seq>-<first seq>`. */
    eventLog: (jobId: string) => `${shard(jobId)}:events:${jobId}`,
    /** Channel: the same batches, live. */
    eventChannel: (jobId: string) => `${shard(jobId)}:live:${jobId}`,

    /** String: a pending session as JSON, or the mark of a deleted one. */
    pendingSession: (sessionId: string) => `${base}:session:${sessionId}`,
    /** List of `kind:job id`: the jobs of a session in the order accepted; the head may run (I6). */
    sessionQueue: (sessionId: string) => `${base}:session-queue:${sessionId}`,
    /** The list of version 0.1.0. */
    formerSessionQueue: (sessionId: string) => `${base}:turns:${sessionId}`,
    /** String: the version of these names, `2`. */
    layout: `${base}:layout`,
    /** String: what an Idempotency-Key of an owner was used for. */
    idempotency: (owner: string, key: string) => `${base}:idem:${digest(`${owner}\n${key}`)}`,

    /** String: the text of a document that a job is to store. */
    upload: (jobId: string) => `${base}:upload:${jobId}`,

    /** Hash: worker id → worker record. */
    workers: `${base}:workers`,
    /** Hash: agent id → manifest. */
    agents: `${base}:agents`,
    /** String: held by the worker whose reaper runs. */
    reaper: `${base}:reaper`,
    /** String: written and read by health checks. */
    probe: `${base}:probe`,
    /** Channel: job ids to cancel, for speed; the intent itself is in the job's state. */
    cancelChannel: `${base}:cancel`,
  };
}
