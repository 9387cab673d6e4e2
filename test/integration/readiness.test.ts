/**
 * What an installation says of itself before its first worker, without a live one, and about jobs that no worker has;
 * and what it tells whom.
 */

import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Child } from "../../scripts/services/child.ts";
import type { Server } from "../../scripts/services/server.ts";
import type { ApiClient, Json } from "../support/api-client.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { startPrivateRedis } from "../support/redis.ts";
import { waitFor } from "../support/wait-for.ts";

const UNKNOWN_KEY = "ap_test_key_of_nobody";
const CHECKS = ["redis", "database", "vector_store", "workers", "queues"];

let redis: Server;
let platform: TestPlatform;
let alice: ApiClient;
let worker: Child;
beforeAll(async () => {
  redis = await startPrivateRedis();
  platform = await startTestPlatform({
    redisUrl: redis.url,
    workers: 0,
    env: { NO_WORKER_GRACE_MS: "1000", SHUTDOWN_GRACE_MS: "0" },
  });
  ({ alice } = platform);
});
afterAll(async () => {
  await platform.stop();
  await redis.stop();
});

async function ask(path: string, key?: string): Promise<{ status: number; body: Json }> {
  const headers: Record<string, string> = key === undefined ? {} : { Authorization: `Bearer ${key}` };
  const response = await fetch(`${alice.origin}/api/v1${path}`, { headers });
  return { status: response.status, body: await response.json() };
}

test("before the first worker, requests for an agent are refused as retryable, and the API is not ready", async () => {
  const refused = await Promise.all([
    alice.chatWhole("Too early"),
    alice.post("/agents/chat_basic/execute", { task: "Too early" }),
    alice.get("/agents/chat_basic"),
  ]);
  for (const { status, headers, body } of refused) {
    expect([status, body.error.code]).toEqual([503, "agent_unavailable"]);
    expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
  }
  const ready = await alice.get("/readyz");
  expect([ready.status, ready.body]).toEqual([503, { status: "down", reason: expect.stringContaining("No worker") }]);
  expect(await ask("/readyz")).toEqual({ status: 503, body: { status: "down" } });
});

test("an API without a worker reports down in health once the grace is over", async () => {
  const { body } = await waitFor("health to be down", async () => {
    const health = await alice.get("/health");
    return health.status === 503 && health;
  });
  expect(body).toMatchObject({
    status: "down",
    checks: { redis: { status: "up" }, workers: { status: "down", live: 0 } },
  });
});

test("an API is ready as soon as a worker has published its agents, and then names unknown agents", async () => {
  worker = await platform.startWorker();
  await waitFor("readiness", async () => (await ask("/readyz")).status === 200);
  expect((await alice.chatWhole("[[text=Hello]] Hello")).status).toBe(200);
  const unknown = await alice.post("/agents/nobody/execute", { task: "For nobody" });
  expect([unknown.status, unknown.body.error.code]).toEqual([404, "agent_not_found"]);
  expect((await alice.get("/health")).status).toBe(200);
});

test("health tells statuses to anybody, details to a caller with a key, and refuses an unknown key", async () => {
  const open = await ask("/health");
  expect(Object.keys(open.body)).toEqual(["status", "checks"]);
  expect(Object.keys(open.body.checks).sort()).toEqual([...CHECKS].sort());
  for (const check of Object.values(open.body.checks)) expect(check).toEqual({ status: expect.any(String) });

  const { body } = await alice.get("/health");
  expect(body).toMatchObject({
    version: expect.any(String),
    checks: { redis: { used_memory_bytes: expect.any(Number) }, queues: { chat: { waiting: 0 } } },
  });
  expect((await ask("/health", UNKNOWN_KEY)).body.error.code).toBe("invalid_api_key");
});

test("health reports Redis as down until the last of an API's connections is back", async () => {
  const { redis: server } = platform;
  const reads = /^id=(\d+) .*:reads:/m.exec(String(await server.client("LIST")))?.[1] ?? "";
  const [, most = ""] = (await server.config("GET", "maxclients")) as string[];
  await server.config("SET", "maxclients", "1");
  try {
    await server.client("KILL", "ID", reads);
    await waitFor("the reads to fail", async () => (await alice.get(`/jobs/${randomUUID()}`)).status === 503);
    expect((await ask("/health")).body.checks.redis).toEqual({ status: "down" });
    expect((await ask("/readyz")).status).toBe(503);
  } finally {
    await server.config("SET", "maxclients", most);
  }
  await waitFor("readiness", async () => (await ask("/readyz")).status === 200);
  expect((await alice.get(`/jobs/${randomUUID()}`)).status).toBe(404);
});

test("health that is asked often costs Redis next to nothing", async () => {
  const processed = async () =>
    Number(/total_commands_processed:(\d+)/.exec(await platform.redis.info("stats"))?.[1] ?? Number.NaN);
  const before = await processed();
  for (let asked = 0; asked < 200; asked++) await ask(asked % 2 === 0 ? "/health" : "/readyz");
  // Of 200 checks each would cost at least ten commands; a worker that idles issues some of its own meanwhile.
  expect(await processed()).toBeLessThan(before + 1_000);
});

test("health counts a job that has failed", async () => {
  const failedOf = async () => (await alice.get("/health")).body.checks.queues;
  expect(await failedOf()).toMatchObject({ chat: { failed: 0 }, execute: { failed: 0 } });
  const jobId = await alice.execute("[[fault=401]] Fail");
  expect((await alice.ended(jobId)).status).toBe("failed");
  await waitFor("health to count it", async () => (await failedOf()).execute.failed === 1);
  expect((await failedOf()).chat.failed).toBe(0);
});

test("a job that its worker requeues says queued until another worker has it", async () => {
  const jobId = await alice.execute("[[tokens=600 rate=20]] Requeued");
  await alice.started(jobId);
  await worker.stop(10_000);

  expect(await alice.job(jobId)).toMatchObject({ status: "queued", attempt: 1, queue_position: 1 });
  const idsOf = async (filter: string) =>
    (await alice.get(`/jobs?${filter}`)).body.jobs.map(({ id, status }: Json) => `${id} ${status}`);
  expect(await idsOf("status=queued")).toEqual([`${jobId} queued`]);
  expect(await idsOf("status=running")).toEqual([]);
  expect(await idsOf("limit=1")).toEqual([`${jobId} queued`]);

  await waitFor("health to be down", async () => (await ask("/health")).status === 503);
  expect((await ask("/readyz")).status).toBe(200);

  worker = await platform.startWorker();
  await alice.started(jobId);
  expect(await idsOf("status=running")).toEqual([`${jobId} running`]);
  expect((await alice.cancel(jobId)).body.status).toBe("running");
  expect((await alice.ended(jobId)).status).toBe("cancelled");
});
