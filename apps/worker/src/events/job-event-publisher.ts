/**
 * The publisher. Upholds:
 * - I2: the writer numbers events from the log's last `seq` on; the script takes them only in that order.
 * - I4: a batch of a superseded fencing token is refused, and its run is aborted.
 * - I9: what waits to be written is bounded: agents wait for a writer that is `congested`, and one that reaches its
 *   limits fails.
 *
 * Events are collected while the previous write is in flight and go out together: a quiet system sends each token at once, a
 * busy one sends batches. Order is kept and nothing is fire-and-forget: a write that Redis did not confirm is sent again,
 * and the script recognises the resend.
 */
import { setTimeout as delay, setImmediate as nextTurn } from "node:timers/promises";
import { UNENDED_JOB_TTL_SECONDS } from "@agent-paas/shared/contract/jobs.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import type { RedisConnection } from "@agent-paas/shared/redis/connect.ts";
import { type RedisKeys, shardOf } from "@agent-paas/shared/redis/keys.ts";
import { JobEventWriter, type PendingBatch, type WriterSignals } from "./job-event-writer.ts";
import { PUBLISH_EVENTS } from "./publish-script.ts";

const RESEND_AFTER_MS = 200;
/** More in one call would keep Redis from its other clients for milliseconds. */
const MAX_JOBS_PER_CALL = 256;

/** The error of a Redis Cluster for keys that it keeps on different nodes. */
const CROSS_SLOT = "CROSSSLOT";

export type JobEventPublisher = ReturnType<typeof createJobEventPublisher>;

export type PublisherOptions = {
  readonly redis: RedisConnection;
  readonly keys: RedisKeys;
  /** How long the log of an ended job is kept, seconds. */
  readonly logTtlSeconds: number;
  readonly logger: Logger;
};

export function createJobEventPublisher({ redis, keys, logTtlSeconds, logger }: PublisherOptions) {
  const publish = PUBLISH_EVENTS.on(redis);
  let closed = false;
  /** The keys of a job are those of its shard, which a Redis Cluster keeps apart from the others. */
  let isCluster = false;

  const dirty = new Set<JobEventWriter>();
  let draining = false;

  function schedule(writer: JobEventWriter): void {
    dirty.add(writer);
    if (draining) return;
    draining = true;
    void drain();
  }

  async function drain(): Promise<void> {
    while (dirty.size > 0) {
      // All tokens that one iteration of the event loop reads from the model's sockets go out together.
      await nextTurn();
      const writers = [...dirty];
      dirty.clear();
      await Promise.all(split(writers).map(write));
    }
    draining = false;
  }

  function split(writers: readonly JobEventWriter[]): JobEventWriter[][] {
    const groups = isCluster ? Map.groupBy(writers, (writer) => shardOf(writer.jobId)).values() : [writers];
    return [...groups].flatMap((group) => chunksOf(group, MAX_JOBS_PER_CALL));
  }

  async function write(writers: readonly JobEventWriter[]): Promise<void> {
    const replies = await send(writers.map((writer) => writer.takeBatch()));
    if (replies === CROSS_SLOT) {
      isCluster = true;
      await Promise.all(split(writers).map(write));
      return;
    }
    for (const [at, writer] of writers.entries()) {
      if (writer.settleBatch(replies === null ? null : (replies[at] ?? -1))) dirty.add(writer);
    }
  }

  /** Sends until Redis answers; null when the publisher was closed before it did. */
  async function send(batches: readonly PendingBatch[]): Promise<number[] | typeof CROSS_SLOT | null> {
    const keyArgs: string[] = [];
    const args: (string | number)[] = [logTtlSeconds, UNENDED_JOB_TTL_SECONDS];
    for (const { jobId, fencingToken, previousSeq, first, last, bytes, ended, progress, claimsJob } of batches) {
      keyArgs.push(keys.jobState(jobId), keys.eventLog(jobId));
      args.push(keys.eventChannel(jobId), fencingToken, previousSeq, first, last, bytes);
      args.push(ended ?? "", progress ?? "", claimsJob ? "1" : "");
    }
    for (let tries = 1; !closed; tries++) {
      try {
        return await publish(keyArgs.length, ...keyArgs, ...args);
      } catch (err) {
        if (err instanceof Error && err.message.startsWith(CROSS_SLOT)) return CROSS_SLOT;
        if (tries === 1) logger.warn({ err, jobs: batches.length }, "events could not be written, trying again");
        await delay(RESEND_AFTER_MS);
      }
    }
    return null;
  }

  return {
    /** The writer of a claimed job; `seq` is the last of the job's log, as the claim returned it. */
    open: (jobId: string, fencingToken: number, seq: number, signals: WriterSignals): JobEventWriter =>
      new JobEventWriter({ jobId, fencingToken, seq, signals, schedule, claimsJob: false }),

    /** The writer of a job's first start: its first batch claims the job, and `flushed()` says whether it did. */
    openFirst: (jobId: string, signals: WriterSignals): JobEventWriter =>
      new JobEventWriter({ jobId, fencingToken: 1, seq: 0, signals, schedule, claimsJob: true }),

    /** Gives up what Redis has not confirmed; other workers start the jobs concerned again. */
    close: () => {
      closed = true;
    },
  };
}

function chunksOf<T>(list: readonly T[], size: number): T[][] {
  const count = Math.ceil(list.length / size);
  return Array.from({ length: count }, (_, at) => list.slice(at * size, (at + 1) * size));
}
