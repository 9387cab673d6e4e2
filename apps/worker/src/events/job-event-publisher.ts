/**
 * The publisher of the events of all jobs of this process. Upholds:
 * - I2: a writer numbers its events upwards from the last `seq` of the log; Redis appends them only in that order.
 * - I4: Redis refuses a batch of a superseded fencing token, and the run is aborted.
 * - I9: unpublished events are bounded: an agent waits while its writer is `congested`, and a run that exceeds the
 *   limits of its writer fails.
 *
 * Events that are appended while a write is in flight go out together with the next write, so a quiet system sends
 * each token at once and a busy one sends batches; a busy one gathers on purpose (`pace.ts`), except for what somebody
 * waits for. A batch that Redis did not confirm is sent again until Redis
 * confirms it; the script recognises the resend.
 *
 * Its connection must neither queue nor repeat commands by itself: `APPEND_EVENTS` does not notice that Redis has lost
 * events, so it is used only for a writer whose last batch was confirmed on the very same connection.
 */
import { setTimeout as delay, setImmediate as nextIteration } from "node:timers/promises";
import { chunksOf } from "@agent-paas/shared/chunks-of.ts";
import { UNENDED_JOB_TTL_SECONDS } from "@agent-paas/shared/contract/jobs.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import { logRepeatedly } from "@agent-paas/shared/logging/repeated-warnings.ts";
import { connectionFor, isSharded, type RedisConnection } from "@agent-paas/shared/redis/connect.ts";
import { type RedisKeys, shardOf } from "@agent-paas/shared/redis/keys.ts";
import { JobEventWriter, type PendingBatch, type WriterOptions } from "./job-event-writer.ts";
import { entryId } from "./log-order.ts";
import { createPace, type Pace } from "./pace.ts";
import { APPEND_EVENTS, AppendReply, PUBLISH_EVENTS, PublishReply } from "./publish-script.ts";

const RESEND_AFTER_MS = 200;
/** A larger call would block Redis for its other clients for milliseconds. */
const MAX_JOBS_PER_CALL = 256;

export type JobEventPublisher = ReturnType<typeof createJobEventPublisher>;

/** What the writer of a claimed job needs; `seq` is the last of the job's log, as the claim returned it. */
export type OpenOptions = Pick<WriterOptions, "jobId" | "fencingToken" | "seq" | "signals">;

export type PublisherOptions = {
  /** Of the role `publisher`. */
  readonly redis: RedisConnection;
  readonly keys: RedisKeys;
  /** How long Redis keeps the event log of an ended job, s. */
  readonly logTtlSeconds: number;
  readonly logger: Logger;
};

export function createJobEventPublisher({ redis, keys, logTtlSeconds, logger }: PublisherOptions) {
  const appendEvents = APPEND_EVENTS.on(redis);
  const publishEvents = PUBLISH_EVENTS.on(redis);
  /** On a cluster, one call may only contain jobs of one event shard. */
  const isByShard = isSharded(redis);
  let closed = false;

  const gathered = createLane(createPace());
  const urgent = createLane(null);

  function schedule(writer: JobEventWriter): void {
    if (writer.isUrgent) gathered.waiting.delete(writer);
    const lane = writer.isUrgent ? urgent : gathered;
    lane.waiting.add(writer);
    if (lane.isDraining) return;
    lane.isDraining = true;
    void drain(lane);
  }

  async function drain(lane: Lane): Promise<void> {
    const { waiting, pace } = lane;
    while (waiting.size > 0) {
      const waitMs = pace?.wait() ?? 0;
      // All tokens that one event loop iteration reads from the sockets of the model go out together.
      await (waitMs > 0 ? delay(waitMs) : nextIteration());
      const writers = [...waiting];
      waiting.clear();
      pace?.sends(writers.length);
      await Promise.all(groupIntoCalls(writers).map(write));
    }
    lane.isDraining = false;
  }

  function groupIntoCalls(writers: readonly JobEventWriter[]): JobEventWriter[][] {
    const groups = isByShard ? Map.groupBy(writers, (writer) => shardOf(writer.jobId)).values() : [writers];
    return [...groups].flatMap((group) => chunksOf(group, MAX_JOBS_PER_CALL));
  }

  async function write(writers: readonly JobEventWriter[]): Promise<void> {
    const connection = streamOf(writers);
    const ordinary: JobEventWriter[] = [];
    const others: JobEventWriter[] = [];
    for (const writer of writers) {
      const isOrdinary = writer.takeBatch().isOrdinary && writer.confirmedOn === connection;
      (isOrdinary ? ordinary : others).push(writer);
    }
    await Promise.all([append(ordinary), publish(others)]);
  }

  /** Identifies the connection on which a call for these writers goes out. */
  function streamOf([writer]: readonly { readonly jobId: string }[]): unknown {
    return isByShard && writer ? connectionFor(redis, keys.eventLog(writer.jobId)).stream : redis.stream;
  }

  function settle(writer: JobEventWriter, reply: number | null): void {
    if (writer.settleBatch(reply)) schedule(writer);
  }

  /** Appends ordinary batches. What is not appended, for whatever reason, is published with all checks. */
  async function append(writers: readonly JobEventWriter[]): Promise<void> {
    if (writers.length === 0) return;
    const values: string[] = writers.map(({ jobId }) => keys.eventLog(jobId));
    for (const writer of writers) {
      const { jobId, first, last, bytes } = writer.takeBatch();
      values.push(keys.eventChannel(jobId), entryId(last, first), bytes);
    }
    const replies = await appendEvents(writers.length, ...values).catch(() => []);
    const unsettled: JobEventWriter[] = [];
    for (const [at, writer] of writers.entries()) {
      if (replies[at] === AppendReply.appended) settle(writer, PublishReply.appended);
      else unsettled.push(writer);
    }
    await publish(unsettled);
  }

  async function publish(writers: readonly JobEventWriter[]): Promise<void> {
    if (writers.length === 0) return;
    const replies = await send(writers.map((writer) => writer.takeBatch()));
    for (const [at, writer] of writers.entries()) {
      const reply = replies === null ? null : (replies.all[at] ?? PublishReply.refused);
      if (reply === PublishReply.appended) writer.confirmedOn = replies?.on;
      settle(writer, reply);
    }
  }

  type Replies = { readonly all: readonly number[]; readonly on: unknown };

  /** Sends the batches until Redis answers. Null: the publisher was closed before Redis answered. */
  async function send(batches: readonly PendingBatch[]): Promise<Replies | null> {
    const keyArgs: string[] = [];
    const args: (string | number)[] = [logTtlSeconds, UNENDED_JOB_TTL_SECONDS];
    for (const { jobId, fencingToken, previousSeq, first, last, bytes, ended, progress, claimsJob } of batches) {
      keyArgs.push(keys.jobState(jobId), keys.eventLog(jobId));
      args.push(keys.eventChannel(jobId), fencingToken, previousSeq, first, last, bytes);
      args.push(ended ?? "", progress ?? "", claimsJob ? "1" : "");
    }
    while (!closed) {
      const on = streamOf(batches);
      try {
        return { all: await publishEvents(keyArgs.length, ...keyArgs, ...args), on };
      } catch (err) {
        logRepeatedly(logger, "warn", { err, jobs: batches.length }, "events could not be written, trying again");
        await delay(RESEND_AFTER_MS);
      }
    }
    return null;
  }

  return {
    /** Opens the writer of a claimed job. */
    open: ({ jobId, fencingToken, seq, signals }: OpenOptions): JobEventWriter =>
      new JobEventWriter({ jobId, fencingToken, seq, signals, schedule, claimsJob: false }),

    /**
     * Opens the writer of a job's first start. Its first batch claims the job; `flushed()` rejects if that is
     * refused.
     */
    openFirst: (jobId: string, signals: WriterOptions["signals"]): JobEventWriter =>
      new JobEventWriter({ jobId, fencingToken: 1, seq: 0, signals, schedule, claimsJob: true }),

    /** Stops sending. Events that Redis has not confirmed are dropped; other workers start their jobs again. */
    close: () => {
      closed = true;
    },
  };
}

/** The writers that have events to send, and what sends them. */
type Lane = { readonly waiting: Set<JobEventWriter>; readonly pace: Pace | null; isDraining: boolean };

const createLane = (pace: Pace | null): Lane => ({ waiting: new Set(), pace, isDraining: false });
