/**
 * The database file is the one of the installation and the one that was opened: a process with another database, or
 * whose file was moved away or replaced, accepts and runs nothing, and says why.
 */

import { existsSync } from "node:fs";
import { copyFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, onTestFinished, test } from "vitest";
import { ChildError } from "../../scripts/services/child.ts";
import { startTestPlatform, type TestPlatform, type TestPlatformOptions } from "../support/platform.ts";
import { emptyRedis } from "../support/platform-state.ts";
import { openTestDatabase } from "../support/test-database.ts";
import { waitFor } from "../support/wait-for.ts";

async function startPlatform(options: TestPlatformOptions = {}): Promise<TestPlatform> {
  const platform = await startTestPlatform(options);
  onTestFinished(() => platform.stop());
  return platform;
}

const beside = ({ databaseFile }: TestPlatform, name: string) => join(databaseFile, "..", name);

/** The whole database in one file, as a backup has it. */
function backUp({ databaseFile }: TestPlatform, to: string): void {
  const database = new DatabaseSync(databaseFile, { readOnly: true });
  database.prepare("vacuum into ?").run(to);
  database.close();
}

/** A migrated database of another installation. */
async function foreignDatabase(): Promise<{ file: string; id: string }> {
  const { file, storage, db } = await openTestDatabase();
  const id = await storage.installation();
  if (id === null) throw new Error("a migrated database without an identity");
  await db.raw("pragma wal_checkpoint(TRUNCATE)");
  return { file, id };
}

/** What the process printed before it gave up. */
async function refusalOf(started: Promise<unknown>): Promise<string> {
  const error = await started.then(() => null).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ChildError);
  const { message, lastLines } = error as ChildError;
  expect(message).toContain("exit code 1");
  return lastLines.join("\n");
}

const idInRedis = ({ redis, keys }: TestPlatform) => redis.get(keys.installation);

test("a worker with the database of another installation refuses to start, and names both", async () => {
  const platform = await startPlatform();
  const { file, id } = await foreignDatabase();
  const refusal = await refusalOf(platform.startWorker({ DATABASE_URL: file }));
  for (const part of [id, await idInRedis(platform), "DATABASE_URL", "REDIS_PREFIX", platform.keys.installation]) {
    expect(refusal).toContain(part);
  }
  const jobId = await platform.alice.execute("[[text=Done]] hello");
  expect(await platform.alice.ended(jobId)).toMatchObject({ status: "completed" });
});

test("a worker that finds no database where Redis has an installation refuses to start, and makes none", async () => {
  const platform = await startPlatform();
  const file = beside(platform, "elsewhere.db");
  expect(await refusalOf(platform.startWorker({ DATABASE_URL: file }))).toContain(await idInRedis(platform));
  expect(existsSync(file)).toBe(false);
});

test("an API with the database of another installation refuses to start, and names both", async () => {
  const platform = await startPlatform();
  const { file, id } = await foreignDatabase();
  const refusal = await refusalOf(platform.startApi({ DATABASE_URL: file }));
  expect([refusal.includes(id), refusal.includes((await idInRedis(platform)) ?? "none")]).toEqual([true, true]);
});

test("an API accepts and reads nothing while its database is missing, or is another installation's", async () => {
  const platform = await startPlatform();
  const file = beside(platform, "appears.db");
  const { alice } = await platform.startApi({ DATABASE_URL: file });
  const jobId = await platform.alice.execute("[[text=Done]] hello");
  await platform.alice.ended(jobId);
  const refused = { status: 503, body: { error: { code: "database_unavailable" } } };
  expect(await alice.get(`/jobs/${jobId}`)).toMatchObject(refused);

  await copyFile((await foreignDatabase()).file, file);
  const health = await waitFor("health", async () => {
    const { status, body } = await alice.get("/health");
    return status === 503 && body;
  });
  expect(health.checks.database).toMatchObject({ status: "down", reason: expect.stringContaining("installation") });
  expect((await alice.get("/readyz")).status).toBe(503);
  expect(await alice.post("/agents/chat_basic/execute", { task: "hello" })).toMatchObject(refused);
  expect(await alice.get(`/jobs/${jobId}`)).toMatchObject(refused);

  const own = beside(platform, "own.db");
  backUp(platform, own);
  await rename(own, file);
  await waitFor("the right database", async () => (await alice.get(`/jobs/${jobId}`)).status === 200);
  expect((await alice.post("/agents/chat_basic/execute", { task: "[[text=Done]] hello" })).status).toBe(202);
});

test("a worker whose file is moved away requeues its jobs and exits; they end when the file is back", async () => {
  const platform = await startPlatform();
  const { alice, databaseFile } = platform;
  const running = await alice.execute("[[tokens=60 rate=20]] Go on");
  await alice.started(running);
  const away = beside(platform, "away.db");
  await rename(databaseFile, away);
  expect(await platform.workers[0]?.exited).toEqual({ code: 1, signal: null });
  expect(await platform.redis.hlen(platform.keys.workers)).toBe(0);
  const health = await waitFor("health", async () => {
    const { status, body } = await alice.get("/health");
    return status === 503 && body;
  });
  expect(health.checks.database).toMatchObject({ status: "down", reason: expect.stringContaining("moved away") });
  expect(await alice.post("/agents/chat_basic/execute", { task: "hello" })).toMatchObject({
    status: 503,
    body: { error: { code: "database_unavailable" } },
  });
  expect(await refusalOf(platform.startWorker())).toContain(await idInRedis(platform));
  expect(existsSync(databaseFile)).toBe(false);

  await rename(away, databaseFile);
  await platform.startWorker();
  expect(await alice.ended(running)).toMatchObject({ status: "completed", attempt: 2 });
});

test("a worker whose file is replaced exits, and one that starts anew goes on with the new file", async () => {
  const platform = await startPlatform();
  const { alice, databaseFile } = platform;
  const before = await alice.execute("[[text=Before]] hello");
  await alice.ended(before);
  const copy = beside(platform, "copy.db");
  backUp(platform, copy);
  const after = await alice.execute("[[text=After]] hello");
  await alice.ended(after);

  await rename(copy, databaseFile);
  expect(await platform.workers[0]?.exited).toEqual({ code: 1, signal: null });
  await platform.startWorker();
  // The API has opened the new file, which does not know the second job.
  expect((await alice.get(`/jobs/${before}`)).status).toBe(200);
  expect((await alice.get(`/jobs/${after}`)).status).toBe(404);
  const next = await alice.execute("[[text=Next]] hello");
  expect(await alice.ended(next)).toMatchObject({ status: "completed", result: { content: "Next" } });
  const database = new DatabaseSync(databaseFile, { readOnly: true });
  onTestFinished(() => void database.close());
  expect(database.prepare("pragma integrity_check").get()).toEqual({ integrity_check: "ok" });
});

test("an emptied Redis takes the identity of the database that its workers have", async () => {
  const platform = await startPlatform();
  const id = await idInRedis(platform);
  await emptyRedis(platform);
  await waitFor("the identity", async () => (await idInRedis(platform)) === id);
  // Its agents come back with the next heartbeat.
  const { body } = await waitFor("a job to be accepted", async () => {
    const response = await platform.alice.post("/agents/chat_basic/execute", { task: "[[text=Done]] hello" });
    return response.status === 202 && response;
  });
  expect(await platform.alice.ended(body.job_id)).toMatchObject({ status: "completed" });
});

test("a worker exits when its Redis has been emptied and taken by another installation", async () => {
  const platform = await startPlatform();
  await platform.redis.set(platform.keys.installation, "01a20298-20f5-7358-985e-1dc37fbf6bd6");
  expect(await platform.workers[0]?.exited).toEqual({ code: 1, signal: null });
  await waitFor("the API to notice", async () => (await platform.alice.get("/readyz")).status === 503);
});

test("of two workers that start at once with databases of their own on an empty Redis, one refuses", async () => {
  const platform = await startPlatform({ workers: 0 });
  const starts = ["a.db", "b.db"].map((name) => platform.startWorker({ DATABASE_URL: beside(platform, name) }));
  const outcomes = await Promise.allSettled(starts);
  expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
});
