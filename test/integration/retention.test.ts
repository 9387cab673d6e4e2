/** I9: retention deletes what is old, in batches, and keeps what is young or in use; every other Redis key expires. */

import { openStorage } from "@agent-paas/shared/db/open-storage.ts";
import type { JobRow, SessionRow } from "@agent-paas/shared/db/rows.ts";
import type { SqliteDatabase } from "@agent-paas/shared/db/sqlite/open-database.ts";
import { newId } from "@agent-paas/shared/ids.ts";
import { createRedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { DAY, MINUTE, SECOND } from "@agent-paas/shared/time.ts";
import { Worker } from "bullmq";
import { pino } from "pino";
import { expect, inject, onTestFinished, test } from "vitest";
import { createJobClaims } from "../../apps/worker/src/job/job-claims.ts";
import { createPlaces } from "../../apps/worker/src/job/places.ts";
import { createSessionQueue } from "../../apps/worker/src/job/session-queue.ts";
import { createRetention } from "../../apps/worker/src/queue/retention.ts";
import { createRetentionRepository } from "../../apps/worker/src/storage/retention-repository.ts";
import { ageFailure, bullmqKeyPrefixes, isQueued, keptWhenFailed } from "../support/bullmq.ts";
import { readJobState, writeJobState } from "../support/job-state.ts";
import { openQueues } from "../support/open-queues.ts";
import { startTestPlatform } from "../support/platform.ts";
import { keysInRedis } from "../support/platform-state.ts";
import { openTestRedis } from "../support/redis.ts";
import { seedSession } from "../support/seed-session.ts";
import { openTestDatabase } from "../support/test-database.ts";
import { waitFor } from "../support/wait-for.ts";

async function openRetention({ jobDays = 30, sessionDays = 0 } = {}) {
  const { db, storage } = await openTestDatabase();
  const keys = createRedisKeys(`t${newId().slice(-8)}`);
  const redis = openTestRedis(inject("redisUrl"), keys);
  const logger = pino({ enabled: false });
  const { connection, queues, maintenance } = openQueues({ redis, keys });
  const retention = createRetention({
    ...{ queues, maintenance, logger, jobDays, sessionDays, intervalSeconds: 600 },
    claims: createJobClaims(redis, keys),
    sessionQueue: createSessionQueue(redis, keys, createPlaces(redis, keys, logger), logger),
    rows: createRetentionRepository(storage),
  });
  return { db, storage, redis, keys, queues, maintenance, connection, retention };
}

const ago = (ms: number) => new Date(Date.now() - ms).toISOString();

function jobRow(endedAgoMs: number | null, more: Partial<JobRow> = {}): Partial<JobRow> {
  const finished_at = endedAgoMs === null ? null : ago(endedAgoMs);
  const status = finished_at === null ? "running" : "completed";
  const started_at = ago(60 * DAY);
  return {
    ...{ id: newId(), owner: "alice", kind: "execute", agent_type: "chat_basic", session_id: null, task: "t", status },
    ...{ fencing_token: 1, attempts: 1, worker: "w", created_at: started_at, started_at, finished_at, ...more },
  };
}

const taskOf = async (db: SqliteDatabase): Promise<string[]> => (await db("agent_logs").pluck("task")).sort();

async function ageSession(db: SqliteDatabase, id: string, untouchedMs: number): Promise<void> {
  await db<SessionRow>("sessions")
    .where({ id })
    .update({ updated_at: ago(untouchedMs) });
}

const ROWS = [
  jobRow(31 * DAY, { task: "old" }),
  jobRow(29 * DAY, { task: "young" }),
  jobRow(null, { task: "running" }),
  jobRow(62 * MINUTE, { task: "old query", agent_type: "knowledge.query" }),
  jobRow(59 * MINUTE, { task: "young query", agent_type: "knowledge.query" }),
];

test("old jobs outside sessions are deleted with their journal entries, and knowledge queries after an hour", async () => {
  const { db, storage, retention } = await openRetention();
  await db("agent_logs").insert(ROWS);
  const entry = { step_no: 1, step_key: "k", kind: "tool", status: "finished", fencing_token: 1, started_at: ago(DAY) };
  await db("agent_steps").insert(ROWS.map(({ id }) => ({ ...entry, job_id: id })));
  const sessionId = await seedSession(storage, "alice", 2);
  await db("agent_logs")
    .where({ session_id: sessionId })
    .update({ task: "of a session", finished_at: ago(40 * DAY) });
  await retention.apply();
  expect(await taskOf(db)).toEqual(["of a session", "of a session", "running", "young", "young query"]);
  expect(await db("agent_steps").pluck("job_id")).toHaveLength(3);
});

test("a retention of 0 days keeps jobs for ever, except knowledge queries", async () => {
  const { db, retention } = await openRetention({ jobDays: 0 });
  await db("agent_logs").insert(ROWS);
  await retention.apply();
  expect(await taskOf(db)).toEqual(["old", "running", "young", "young query"]);
});

test("more old jobs than one batch are deleted, with their state in Redis", async () => {
  const { db, storage, retention, ...store } = await openRetention();
  const rows = Array.from({ length: 1_700 }, () => jobRow(31 * DAY));
  await db.batchInsert("agent_logs", rows, 500);
  const jobId = rows[0]?.id ?? "";
  await writeJobState(store, jobId, { fencingToken: 1 });
  await retention.apply();
  expect([await taskOf(db), await readJobState(store, jobId)]).toEqual([[], {}]);
});

test("unused sessions are deleted with messages and jobs, except sessions with a running or queued job", async () => {
  const { db, storage, redis, keys, queues, retention } = await openRetention({ sessionDays: 10 });
  const [unused, inUse, running, queued] = [
    await seedSession(storage, "alice", 600),
    await seedSession(storage, "alice", 1),
    await seedSession(storage, "alice", 1),
    await seedSession(storage, "alice", 1),
  ];
  for (const id of [unused, running, queued]) await ageSession(db, id, 11 * DAY);
  await ageSession(db, inUse, 9 * DAY);
  await db("agent_logs").insert(jobRow(null, { session_id: running }));
  const waiting = newId();
  await queues.chat.add("chat", {}, { jobId: waiting });
  await redis.rpush(keys.sessionQueue(queued), `chat:${waiting}`);

  await retention.apply();
  const left = [inUse, running, queued].sort();
  expect((await db("sessions").pluck("id")).sort()).toEqual(left);
  expect((await db("messages").distinct("session_id").pluck("session_id")).sort()).toEqual(left);
  expect((await db("agent_logs").distinct("session_id").pluck("session_id")).sort()).toEqual(left);
  expect(await redis.get(keys.pendingSession(unused))).toBe("deleted");
  expect(
    await redis.exists(keys.pendingSession(inUse), keys.pendingSession(running), keys.pendingSession(queued)),
  ).toBe(0);
});

test("more unused sessions of one job than a batch go as jobs do, and other sessions stay", async () => {
  const { db, storage, retention } = await openRetention();
  const ids = Array.from({ length: 201 }, () => newId());
  const fields = { owner: "alice", agent_type: "chat_basic", config: "{}", metadata: "{}", created_at: ago(40 * DAY) };
  const sessions = ids.map((id) => ({ ...fields, id, updated_at: ago(31 * DAY) }));
  await db.batchInsert("sessions", sessions, 100);
  const jobs = ids.map((id) => jobRow(31 * DAY, { id, session_id: id }));
  await db.batchInsert("agent_logs", jobs, 100);
  const kept = await seedSession(storage, "alice", 1);
  await ageSession(db, kept, 31 * DAY);
  await retention.apply();
  expect(await db("sessions").pluck("id")).toEqual([kept]);
  expect(await db("agent_logs").pluck("session_id")).toEqual([kept]);
});

test("sessions are kept for ever by default", async () => {
  const { db, storage, retention } = await openRetention();
  await ageSession(db, await seedSession(storage, "alice", 1), 1_000 * DAY);
  await retention.apply();
  expect(await db("sessions").pluck("id")).toHaveLength(1);
});

test("jobs that failed long ago are deleted from the queues, and other jobs are kept", async () => {
  const { queues, connection, retention, ...store } = await openRetention();
  const worker = new Worker("chat", () => Promise.reject(new Error("on purpose")), connection);
  await queues.chat.addBulk(["old", "young"].map((jobId) => ({ name: "chat", data: {}, opts: { jobId } })));
  await waitFor("the jobs to fail", async () => (await queues.chat.getFailedCount()) === 2);
  await worker.close();
  await queues.chat.add("chat", {}, { jobId: "waiting" });
  await ageFailure(store, "chat", "old", 2 * DAY);
  await retention.apply();
  const known = await Promise.all(["old", "young", "waiting"].map((id) => isQueued(store, "chat", id)));
  expect(known).toEqual([false, true, true]);
});

test("retention has one schedule, which is written again when it is lost", async () => {
  const { maintenance, retention } = await openRetention();
  for (let time = 0; time < 3; time++) await retention.schedule();
  expect(await maintenance.getJobSchedulers()).toMatchObject([{ key: "apply_retention", every: 10 * MINUTE }]);
  await maintenance.removeJobScheduler("apply_retention");
  await retention.schedule();
  expect(await maintenance.getJobSchedulersCount()).toBe(1);
});

test("a running platform deletes old rows, lists no knowledge queries by default, and leaves no key without expiry", async () => {
  const platform = await startTestPlatform({ workers: 2, env: { RETENTION_INTERVAL_SECONDS: "1" } });
  onTestFinished(() => platform.stop());
  const { alice, redis, keys, databaseUrl } = platform;

  const chat = { agent_type: "chat_basic", message: "Hello", stream: false };
  const { body } = await alice.post("/chat/completions", chat, { "Idempotency-Key": "k" });
  await Promise.all([
    alice.post("/chat/completions", { ...chat, session_id: body.session_id }),
    alice.post("/chat/completions", { ...chat, message: "[[fault=401]] Fail" }),
    alice.execute("A task").then((jobId) => alice.ended(jobId)),
  ]);
  const cancelled = await alice.execute("[[tokens=2000 rate=10]] A long task");
  await alice.cancel(cancelled);
  await alice.ended(cancelled);
  const running = await alice.execute("[[tokens=2000 rate=10]] Another");
  await alice.started(running);
  const { body: deleted } = await alice.post("/chat/completions", chat);
  await alice.delete(`/sessions/${deleted.session_id}`);

  const { table, write, close } = openStorage(databaseUrl);
  onTestFinished(close);
  await write([{ query: table("agent_logs").insert(ROWS) }]);
  const old = () => table("agent_logs").where("task", "like", "old%");
  await waitFor("the old rows to go", async () => (await old()).length === 0);

  const listed = (await alice.get("/jobs?limit=200")).body.jobs.map((job: { agent_type: string }) => job.agent_type);
  expect(new Set(listed)).toEqual(new Set(["chat_basic"]));
  const searches = (await alice.get("/jobs?agent_type=knowledge.query")).body.jobs;
  expect(searches).toMatchObject([{ agent_type: "knowledge.query", status: "completed" }]);

  // A job that ended in order is removed from its queue; failed jobs are removed by age and number.
  expect(await isQueued(platform, "chat", body.job_id)).toBe(false);
  expect(await keptWhenFailed(platform, "execute", running)).toEqual({ age: DAY / SECOND, count: 1_000 });

  const ofQueues = bullmqKeyPrefixes(keys);
  const own = (await keysInRedis(platform)).filter((key) => !ofQueues.some((start) => key.startsWith(start)));
  // Without a key of each sort the check of their expiry would prove nothing.
  for (const sort of [":job:", ":events:", ":idem:", ":session:", ":workers", ":agents"]) {
    expect(own.filter((key) => key.includes(sort)).length, sort).toBeGreaterThan(0);
  }
  const left = await Promise.all(own.map(async (key) => [key, await redis.ttl(key)] as const));
  // The identity and the layout of the installation last: without the layout a start reads the whole Redis. So does the
  // place of the running job.
  expect(
    left
      .filter(([, ttl]) => ttl === -1)
      .map(([key]) => key)
      .sort(),
  ).toEqual([keys.installation, keys.layout, keys.places("execute")]);
});
