/**
 * I1 for a job that fails in the queue without its processor, as BullMQ fails a job whose workers died too often: a
 * worker that receives BullMQ's `failed` event finalizes it once, with rows, an `error` and a `done`.
 */
import { decodeEvents } from "@agent-paas/shared/contract/events.ts";
import type { JobPayload } from "@agent-paas/shared/contract/jobs.ts";
import { newId } from "@agent-paas/shared/ids.ts";
import { createRedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { UnrecoverableError, Worker } from "bullmq";
import { pino } from "pino";
import { expect, inject, onTestFinished, test } from "vitest";
import { NO_SIGNALS } from "../../apps/worker/src/events/job-event-writer.ts";
import { createJobClaims } from "../../apps/worker/src/job/job-claims.ts";
import { createJobFinalizer } from "../../apps/worker/src/job/job-finalizer.ts";
import { createLiveTimelines } from "../../apps/worker/src/job/live-timelines.ts";
import { createPlaces } from "../../apps/worker/src/job/places.ts";
import { createQueuedJobFinalizer } from "../../apps/worker/src/job/queued-job-finalizer.ts";
import { createRecentEnds } from "../../apps/worker/src/job/recent-ends.ts";
import { RetryLater } from "../../apps/worker/src/job/retry-delay.ts";
import { createRunningJobs } from "../../apps/worker/src/job/running-jobs.ts";
import { createSessionQueue } from "../../apps/worker/src/job/session-queue.ts";
import { startAttempt } from "../../apps/worker/src/job/start-attempt.ts";
import { createStoredPayloads } from "../../apps/worker/src/job/stored-payloads.ts";
import { createMaintenanceProcessor } from "../../apps/worker/src/queue/maintenance-processor.ts";
import { createRetention } from "../../apps/worker/src/queue/retention.ts";
import { createFailedJobs } from "../../apps/worker/src/recovery/failed-jobs.ts";
import { createOrphanFinalizer } from "../../apps/worker/src/recovery/orphan-finalizer.ts";
import { startReaper } from "../../apps/worker/src/recovery/reaper.ts";
import { NO_RESULT } from "../../apps/worker/src/run/run-result.ts";
import { createJobRepository } from "../../apps/worker/src/storage/job-repository.ts";
import { createOrphanedJobRepository } from "../../apps/worker/src/storage/orphaned-job-repository.ts";
import { createRetentionRepository } from "../../apps/worker/src/storage/retention-repository.ts";
import { createSessionRepository } from "../../apps/worker/src/storage/session-repository.ts";
import { openEventPublisher } from "../support/event-publisher.ts";
import { jobPayload } from "../support/job-payload.ts";
import { forgetJob, readJobState } from "../support/job-state.ts";
import { openQueues } from "../support/open-queues.ts";
import { openTestRedis } from "../support/redis.ts";
import { openTestDatabase, refuseUpdates } from "../support/test-database.ts";
import { waitFor } from "../support/wait-for.ts";

/** The parts of a worker that finalize jobs, and a queue worker that fails every chat without the job processor. */
async function startFinalizing() {
  const { db, storage } = await openTestDatabase();
  const keys = createRedisKeys(`t${newId().slice(-8)}`);
  const redis = openTestRedis(inject("redisUrl"), keys);
  const logger = pino({ enabled: false });
  const { connection, queues, maintenance } = openQueues({ redis, keys });
  const claims = createJobClaims(redis, keys);
  const publisher = openEventPublisher(inject("redisUrl"), keys);
  const places = createPlaces(redis, keys, logger);
  const sessionQueue = createSessionQueue(redis, keys, places, logger);
  const jobs = createJobRepository(storage, "w");
  const rows = createOrphanedJobRepository(storage, "w");
  const stored = createStoredPayloads(redis, keys, logger);
  const clock = { now: Date.now };
  const timelines = createLiveTimelines({ redis, keys, worker: "w", clock });
  onTestFinished(() => timelines.stop());
  const finalizer = createJobFinalizer({ jobs, sessionQueue, places, recentEnds: createRecentEnds() });
  const queuedJobs = createQueuedJobFinalizer({
    ...{ claims, publisher, jobs, finalizer, sessionQueue, stored, timelines },
  });
  const sessions = createSessionRepository(storage);
  const retention = createRetention({
    ...{ queues, maintenance, claims, sessionQueue, logger, jobDays: 30, sessionDays: 0, intervalSeconds: 600 },
    rows: createRetentionRepository(storage),
  });
  const suspensions = { resume: async () => {}, restore: async () => {} };
  const process = createMaintenanceProcessor({
    queues,
    queuedJobs,
    sessions,
    sessionQueue,
    claims,
    publisher,
    retention,
    stored,
    suspensions,
  });
  const failed = createFailedJobs({ queues, maintenance, claims, rows, logger });
  const settings = { settings: { backoffStrategy: () => 50 } };
  const ending = new Worker("maintenance", process, { ...connection, ...settings, autorun: false });
  const dying = new Worker("chat", async () => Promise.reject(new UnrecoverableError("stalled too often")), connection);
  onTestFinished(async () => {
    await Promise.all([dying.close(), ending.close()]);
  });

  const fail = async (payload: object, jobId: string) => {
    await queues.chat.add("chat", payload, { jobId });
    await waitFor("the failure", async () => (await queues.chat.getFailed()).some(({ id }) => id === jobId));
  };
  const running = createRunningJobs();
  const begin = (payload: JobPayload, attempt: number) =>
    running.during(payload.job_id, attempt, async (run) => {
      const deps = { claims, publisher, jobs, finalizer, stored, clock, timelines };
      const started = await startAttempt(deps, payload, attempt, run);
      return started !== null && (await started.row) ? started : null;
    });
  const events = async ({ job_id }: JobPayload) => {
    const log = await redis.xrangeBuffer(keys.eventLog(job_id), "-", "+");
    return log.flatMap(([, fields]) => decodeEvents(fields[1] as Buffer));
  };
  const published = (jobId: string) =>
    waitFor("the terminal event", async () => (await readJobState({ redis, keys }, jobId)).ended === "failed");
  const reap = (restoreSchedule: () => Promise<void>) => {
    const orphans = createOrphanFinalizer({ claims, publisher, finalizer, rows, timelines });
    const reaper = startReaper({
      ...{ redis, keys, rows, orphans, places, failedJobs: failed, restoreSchedule, logger },
      promoteLateJobs: async () => {},
      sweepSuspended: async () => {},
      sweepOwnerIndexes: async () => {},
      sweepPlaces: async () => {},
    });
    onTestFinished(() => reaper.stop());
  };
  const parts = { redis, db, keys, claims, publisher, jobs, maintenance, failed, dying, ending };
  return { ...parts, published, begin, events, fail, reap };
}

const payloadOf = (): JobPayload => jobPayload({ kind: "chat", session_id: newId(), text: "a poisonous question" });

test("an orphaned job is finalized although the schedule of retention cannot be restored", async () => {
  const { published, events, jobs, reap } = await startFinalizing();
  const payload = payloadOf();
  await jobs.start(payload, 1);
  reap(() => Promise.reject(new Error("no schedule")));
  await published(payload.job_id);
  expect(await events(payload)).toMatchObject([
    { event: "message", data: { type: "reset" } },
    { event: "error", data: { code: "worker_lost" } },
    { event: "done", data: { status: "failed" } },
  ]);
});

test("an orphaned job that cannot be finalized hides none behind it", async () => {
  const { published, db, jobs, reap } = await startFinalizing();
  const [stuck, next] = [payloadOf(), payloadOf()];
  for (const payload of [stuck, next]) await jobs.start(payload, 1);
  await refuseUpdates(db, stuck.job_id);
  reap(async () => {});
  await published(next.job_id);
});

test("a job whose workers died too often ends as failed, and its session goes on", async () => {
  const { published, redis, db, keys, events, fail, failed, dying, ending } = await startFinalizing();
  dying.on("failed", failed.listener("chat"));
  void ending.run();
  const payload = payloadOf();
  const sessionQueue = keys.sessionQueue(payload.session_id ?? "");
  await redis.rpush(sessionQueue, `chat:${payload.job_id}`, "chat:next");
  await fail(payload, payload.job_id);
  await published(payload.job_id);
  expect(await db("agent_logs").select("id", "status", "error_code", "last_seq")).toEqual([
    { id: payload.job_id, status: "failed", error_code: "worker_lost", last_seq: 3 },
  ]);
  expect(await events(payload)).toMatchObject([
    { seq: 2, event: "error", data: { code: "worker_lost", retryable: true } },
    { seq: 3, event: "done", data: { job_id: payload.job_id, status: "failed" } },
  ]);
  expect(await redis.lrange(sessionQueue, 0, -1)).toEqual(["chat:next"]);
  expect(await db("messages").select("role", "content")).toEqual([{ role: "user", content: "a poisonous question" }]);
});

test("a failed job whose failure no worker received is finalized once by the next sweep, also when Redis has lost its state", async () => {
  const { published, redis, db, keys, fail, failed, ending, maintenance } = await startFinalizing();
  const payload = payloadOf();
  await fail(payload, payload.job_id);
  await failed.sweep();
  await failed.sweep();
  void ending.run();
  await published(payload.job_id);
  await failed.sweep();
  expect(await db("agent_logs").select("id", "status")).toEqual([{ id: payload.job_id, status: "failed" }]);
  expect(await redis.xlen(keys.eventLog(payload.job_id))).toBe(1);
  await forgetJob({ redis, keys }, payload.job_id);
  await failed.sweep();
  expect(await maintenance.getJobCountByTypes("waiting", "active", "delayed")).toBe(0);
});

test("a failed job that a finalizer claimed without writing anything is finalized by the next try", async () => {
  const { published, claims, db, fail, failed, dying, ending } = await startFinalizing();
  const payload = payloadOf();
  const { job_id } = payload;
  // What is left of a finalizer whose write failed, or that was killed: a claim, higher than the next try's own count.
  for (const token of [2, 3]) await claims.claim(job_id, token, { beginsAttempt: false });
  dying.on("failed", failed.listener("chat"));
  void ending.run();
  await fail(payload, job_id);
  await published(job_id);
  expect(await db("agent_logs").select("id", "status", "error_code")).toEqual([
    { id: job_id, status: "failed", error_code: "worker_lost" },
  ]);
});

test("a failed job whose finalization has used up its tries is finalized by a later sweep", async () => {
  const { published, fail, failed, ending, maintenance } = await startFinalizing();
  const { job_id, ...payload } = payloadOf();
  await fail({ job_id, ...payload }, job_id);
  await failed.sweep();
  const [entry] = await maintenance.getWaiting();
  await entry?.remove();
  // With the same id and options as the swept one, but it fails at its only try.
  await maintenance.add("end_failed_job", { action: "unknown" }, { ...entry?.opts, attempts: 1 });
  void ending.run();
  await waitFor("the failed finalization to be gone", async () => !(await maintenance.getJob(`failed-${job_id}`)));
  await failed.sweep();
  await published(job_id);
});

test("a job whose payload cannot be read ends as failed and is visible to its owner", async () => {
  const { published, db, fail, failed, dying, ending } = await startFinalizing();
  dying.on("failed", failed.listener("chat"));
  void ending.run();
  const { job_id, kind, owner, session_id } = payloadOf();
  await fail({ job_id, kind, owner, session_id, text: 7 }, job_id);
  await published(job_id);
  expect(await db("agent_logs").select("id", "owner", "error_code")).toEqual([
    { id: job_id, owner: "alice", error_code: "job_invalid" },
  ]);
});

test("a worker that takes a job just claimed by a finalizer publishes nothing and retries later", async () => {
  const { db, claims, begin, events } = await startFinalizing();
  const payload = payloadOf();
  await claims.claim(payload.job_id, 1, { beginsAttempt: false });
  await expect(begin(payload, 1)).rejects.toThrow(RetryLater);
  expect(await events(payload)).toEqual([]);
  expect(await begin(payload, 2)).toMatchObject({ attempt: 1 });
  expect(await db("agent_logs").select("fencing_token", "status")).toEqual([{ fencing_token: 2, status: "running" }]);
});

test("a worker that takes a job just ended does not start it, also when Redis has lost its state", async () => {
  const { published, redis, keys, begin, events, fail, failed, dying, ending } = await startFinalizing();
  dying.on("failed", failed.listener("chat"));
  void ending.run();
  const payload = payloadOf();
  await fail(payload, payload.job_id);
  await published(payload.job_id);
  expect(await begin(payload, 1)).toBeNull();
  const terminal = [
    { seq: 2, event: "error" },
    { seq: 3, event: "done" },
  ];
  expect(await events(payload)).toMatchObject(terminal);

  await forgetJob({ redis, keys }, payload.job_id);
  expect(await begin(payload, 1)).toBeNull();
  // Number 1 is left to the event that a first attempt publishes before its row is read.
  expect(await events(payload)).toMatchObject([{ seq: 1, event: "thought" }, ...terminal]);
});

/** A job whose worker wrote its end, as number 2, and died before it published that. */
async function endUnpublished() {
  const parts = await startFinalizing();
  const payload = payloadOf();
  expect(await parts.begin(payload, 1)).toMatchObject({ attempt: 1 });
  const end = { status: "completed", ...NO_RESULT, error: null, lastSeq: 2 } as const;
  expect(await parts.jobs.end(payload, 1, end)).toBe(true);
  return { ...parts, payload };
}

test("an end that was written and not published is published with the number that its row gave", async () => {
  const { db, begin, events, payload } = await endUnpublished();
  expect(await begin(payload, 2)).toBeNull();
  expect((await events(payload)).map(({ seq, event }) => [seq, event])).toEqual([
    [1, "thought"],
    [2, "done"],
  ]);
  expect(await db("agent_logs").select("last_seq")).toEqual([{ last_seq: 2 }]);
});

test("an end that is published behind later events has a later number, and so has its row", async () => {
  const { db, claims, publisher, begin, events, payload } = await endUnpublished();
  const { job_id: jobId } = payload;
  const claim = await claims.claim(jobId, 2, { beginsAttempt: false });
  if (claim.kind !== "claimed") expect.unreachable();
  const writer = publisher.open({ jobId, fencingToken: 2, seq: claim.fence, signals: NO_SIGNALS });
  writer.append({ event: "thought", data: { content: "Waiting", type: "status" } });
  await writer.flushed();
  expect(await begin(payload, 3)).toBeNull();
  expect((await events(payload)).map(({ seq, event }) => [seq, event])).toEqual([
    [1, "thought"],
    [100_002, "thought"],
    [100_003, "done"],
  ]);
  expect(await db("agent_logs").select("last_seq")).toEqual([{ last_seq: 100_003 }]);
});
