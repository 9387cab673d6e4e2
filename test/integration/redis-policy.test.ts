/** A Redis that evicts keys would lose accepted jobs (I1): no worker starts with it, and no API accepts a job. */
import { type AddressInfo, connect, createServer } from "node:net";
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from "vitest";
import { ChildError } from "../../scripts/services/child.ts";
import type { Server } from "../../scripts/services/server.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { startPrivateRedis } from "../support/redis.ts";
import { waitFor } from "../support/wait-for.ts";

/** The reason names the setting that Redis has and the one that it needs. */
const REASON = /volatile-lru.*noeviction/;

let redis: Server;
let platform: TestPlatform;
beforeAll(async () => {
  redis = await startPrivateRedis();
  platform = await startTestPlatform({ redisUrl: redis.url });
});
afterAll(async () => {
  await platform.stop();
  await redis.stop();
});
const setPolicy = (policy: string) => platform.redis.config("SET", "maxmemory-policy", policy);
beforeEach(async () => void (await setPolicy("volatile-lru")));

async function expectRefusedStart(started: Promise<unknown>): Promise<void> {
  const error = await started.then(() => null).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ChildError);
  const { message, lastLines } = error as ChildError;
  expect(message).toContain("exit code 1");
  // Once in the log, and once as the last word on standard error.
  expect(lastLines.filter((line) => REASON.test(line))).toHaveLength(2);
}

test("an API and a worker refuse to start with a Redis that evicts keys", async () => {
  await expectRefusedStart(platform.startApi());
  await expectRefusedStart(platform.startWorker());
});

/** A proxy to Redis that accepts connections and forwards nothing until it is opened. */
async function startGate() {
  const connected = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<void>();
  const gate = createServer((client) => {
    connected.resolve();
    const server = connect(redis.port, "127.0.0.1");
    client.on("error", () => server.destroy()).on("close", () => server.destroy());
    server.on("error", () => client.destroy()).on("close", () => client.destroy());
    void opened.promise.then(() => client.pipe(server).pipe(client));
  });
  await new Promise<void>((resolve) => gate.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void gate.close());
  const url = new URL(redis.url);
  url.port = String((gate.address() as AddressInfo).port);
  return { url: url.href, connected: connected.promise, open: opened.resolve };
}

test("a worker that waits for Redis stops when the Redis it gets evicts keys", async () => {
  const gate = await startGate();
  const refused = expectRefusedStart(platform.startWorker({ REDIS_URL: gate.url }));
  await gate.connected;
  gate.open();
  await refused;
});

test("an API that started without Redis accepts no job when the Redis it gets evicts keys", async () => {
  const gate = await startGate();
  const { alice } = await platform.startApi({ REDIS_URL: gate.url });
  expect((await alice.get("/readyz")).body).toEqual({ status: "down" });
  gate.open();
  await waitFor("the reason", async () => REASON.test((await alice.get("/readyz")).body.reason));
  expect((await alice.post("/agents/chat_basic/execute", { task: "Refused" })).status).toBe(503);
});

test("a running API accepts no job while Redis evicts keys, and accepts jobs when it no longer does", async () => {
  const { alice } = platform;
  const health = await waitFor("health", async () => {
    const answer = await alice.get("/health");
    return answer.status === 503 && answer.body;
  });
  expect(health).toMatchObject({
    status: "down",
    checks: { redis: { status: "down", reason: expect.stringMatching(REASON) } },
  });
  expect((await alice.get("/readyz")).body.reason).toMatch(REASON);
  const refused = await alice.post("/agents/chat_basic/execute", { task: "Refused" });
  expect(refused).toMatchObject({ status: 503, body: { error: { code: "queue_unavailable" } } });
  expect(refused.body.error.message).toMatch(REASON);

  await setPolicy("noeviction");
  await waitFor("readiness", async () => (await alice.get("/readyz")).status === 200);
  const jobId = await alice.execute("[[text=Done]] Accepted");
  expect((await alice.ended(jobId)).result.content).toBe("Done");
});
