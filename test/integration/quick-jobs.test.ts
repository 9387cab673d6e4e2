/** A job that ends at once: its start and its end are one transaction, whatever happens to one of the two. */
import { readFile } from "node:fs/promises";
import { decodeEvents } from "@agent-paas/shared/contract/events.ts";
import type { JobPayload } from "@agent-paas/shared/contract/jobs.ts";
import { newId } from "@agent-paas/shared/ids.ts";
import { createRedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { ENTER_SCRIPT, encodeOwnerEntry, ownedKeysOf } from "@agent-paas/shared/redis/owner-index.ts";
import { pino } from "pino";
import { expect, inject, onTestFinished, test } from "vitest";
import { createJobClaims } from "../../apps/worker/src/job/job-claims.ts";
import { createJobFinalizer } from "../../apps/worker/src/job/job-finalizer.ts";
import { createLiveTimelines } from "../../apps/worker/src/job/live-timelines.ts";
import { createPlaces } from "../../apps/worker/src/job/places.ts";
import { createRecentEnds } from "../../apps/worker/src/job/recent-ends.ts";
import { ClaimedElsewhere } from "../../apps/worker/src/job/retry-delay.ts";
import { createSessionQueue } from "../../apps/worker/src/job/session-queue.ts";
import { startAttempt } from "../../apps/worker/src/job/start-attempt.ts";
import { createStoredPayloads } from "../../apps/worker/src/job/stored-payloads.ts";
import { createRunControl } from "../../apps/worker/src/run/run-control.ts";
import { NO_RESULT } from "../../apps/worker/src/run/run-result.ts";
import { createJobRepository, type JobRepository } from "../../apps/worker/src/storage/job-repository.ts";
import { openEventPublisher } from "../support/event-publisher.ts";
import { jobPayload } from "../support/job-payload.ts";
import { onPostgres } from "../support/on-postgres.ts";
import { openTestRedis } from "../support/redis.ts";
import { openTestDatabase } from "../support/test-database.ts";

/** Frames of the write-ahead log that end a transaction. */
async function commitsOf(file: string): Promise<number | null> {
  // PostgreSQL commits every batch by itself, and flushes many together.
  if (onPostgres) return null;
  const log = await readFile(`${file}-wal`);
  const frameBytes = 24 + log.readUInt32BE(8);
  let commits = 0;
  for (let at = 32; at + frameBytes <= log.length; at += frameBytes) if (log.readUInt32BE(at + 4) > 0) commits += 1;
  return commits;
}

/** @param odd replaces calls of the job repository. */
async function startParts(odd: Partial<JobRepository> = {}) {
  const { db, storage, file } = await openTestDatabase();
  const keys = createRedisKeys(`t${newId().slice(-8)}`);
  const redis = openTestRedis(inject("redisUrl"), keys);
  onTestFinished(() => redis.disconnect());
  const logger = pino({ enabled: false });
  const claims = createJobClaims(redis, keys);
  const publisher = openEventPublisher(inject("redisUrl"), keys);
  const places = createPlaces(redis, keys, logger);
  const jobs = { ...createJobRepository(storage, "w"), ...odd };
  const clock = { now: Date.now };
  const timelines = createLiveTimelines({ redis, keys, worker: "w", clock });
  onTestFinished(() => timelines.stop());
  const finalizer = createJobFinalizer({
    jobs,
    sessionQueue: createSessionQueue(redis, keys, places, logger),
    places,
    recentEnds: createRecentEnds(),
  });
  const stored = createStoredPayloads(redis, keys, logger);
  const run = createRunControl();
  const deps = { claims, publisher, jobs, finalizer, stored, clock, timelines };
  const begin = (payload: JobPayload) => startAttempt(deps, payload, 1, run);
  const events = async ({ job_id }: JobPayload) => {
    const log = await redis.xrangeBuffer(keys.eventLog(job_id), "-", "+");
    return log.flatMap(([, fields]) => decodeEvents(fields[1] as Buffer)).map(({ event }) => event);
  };
  return { db, file, redis, keys, jobs, finalizer, run, begin, events };
}

const ENDING = { status: "completed", ...NO_RESULT } as const;

test("start and end of a job that ends at once are one commit, and it leaves its owner's index", async () => {
  const { db, file, redis, keys, finalizer, run, begin, events } = await startParts();
  const payload = jobPayload({ session_id: newId() });
  const { job_id: jobId, owner, kind, agent_type: agentType, session_id: sessionId } = payload;
  const entry = encodeOwnerEntry({ jobId, bytes: 7, stored: "nothing", sessionId, agentType });
  const values = { owner, job_id: jobId, entry, bytes: 7, stored_ttl: 60, upload_bytes: "" };
  await ENTER_SCRIPT.on(redis)({ ...ownedKeysOf(keys, payload), ...values });
  const before = await commitsOf(file);

  const started = await begin(payload);
  expect(started).toMatchObject({ attempt: 1 });
  if (started === null) return;
  run.isOver = true;
  await finalizer.finalize(payload, started.writer, ENDING, started.row);

  expect(await commitsOf(file)).toBe(before === null ? null : before + 1);
  expect(await started.row).toBe(true);
  expect(await db("agent_logs").select("id", "status", "attempts")).toEqual([
    { id: jobId, status: "completed", attempts: 1 },
  ]);
  expect(await events(payload)).toEqual(["thought", "done"]);
  expect(await redis.exists(keys.ownerIndex(kind, owner), keys.ownerBytes)).toBe(0);
});

test("a first start waits for the database where the job has a row, and leaves it to the later start", async () => {
  const { db, jobs, begin, run } = await startParts();
  const payload = jobPayload({});
  await jobs.start(payload, 2);
  await expect(begin(payload)).rejects.toThrow(ClaimedElsewhere);
  expect(run.signal.aborted).toBe(false);
  expect(await db("agent_logs").select("fencing_token", "status")).toEqual([{ fencing_token: 2, status: "running" }]);
});

test("a run that began with its claim is stopped when its row is refused, and its end is not written", async () => {
  const { db, jobs, finalizer, begin, run, events } = await startParts({ isKnown: async () => false });
  const payload = jobPayload({});
  await jobs.start(payload, 2);
  const started = await begin(payload);
  if (started === null) throw new Error("the run did not begin");
  await expect(finalizer.finalize(payload, started.writer, ENDING, started.row)).rejects.toThrow(ClaimedElsewhere);
  expect(run.signal.reason).toMatchObject({ reason: "superseded" });
  expect(await db("agent_logs").select("fencing_token", "status")).toEqual([{ fencing_token: 2, status: "running" }]);
  expect(await events(payload)).toEqual(["thought"]);
});
