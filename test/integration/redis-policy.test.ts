/** A Redis that evicts would lose accepted jobs (I1): neither role starts on one, and none is told that it was accepted. */
import { type AddressInfo, connect, createServer } from "node:net";
import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from "vitest";
import { ChildError } from "../../scripts/services/child.ts";
import type { Server } from "../../scripts/services/server.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { startPrivateRedis } from "../support/redis.ts";
import { waitFor } from "../support/wait-for.ts";

const REASON = /Redis evicts keys .*maxmemory-policy volatile-lru.*: set maxmemory-policy noeviction/;

let redis: Server;
let control: Redis;
let platform: TestPlatform;
beforeAll(async () => {
  redis = await startPrivateRedis();
  control = new Redis(redis.url);
  platform = await startTestPlatform({ redisUrl: redis.url });
});
afterAll(async () => {
  await platform.stop();
  control.disconnect();
  await redis.stop();
});
const setPolicy = (policy: string) => control.config("SET", "maxmemory-policy", policy);
beforeEach(async () => void (await setPolicy("volatile-lru")));

async function expectRefusedStart(started: Promise<unknown>): Promise<void> {
  const error = await started.then(() => null).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ChildError);
  const { message, lastLines } = error as ChildError;
  expect(message).toContain("exit code 1");
  expect(lastLines.filter((line) => REASON.test(line))).toHaveLength(1);
}

test("neither role starts", async () => {
  await expectRefusedStart(platform.startApi());
  await expectRefusedStart(platform.startWorker());
});

/** A way to Redis that takes connections and passes nothing on until it is opened. */
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

test("a worker that waited for Redis stops when it sees what came", async () => {
  const gate = await startGate();
  const refused = expectRefusedStart(platform.startWorker({ REDIS_URL: gate.url }));
  await gate.connected;
  gate.open();
  await refused;
});

test("an API that started without Redis refuses what came", async () => {
  const gate = await startGate();
  const { alice } = await platform.startApi({ REDIS_URL: gate.url });
  expect((await alice.get("/readyz")).body).toEqual({ status: "down" });
  gate.open();
  await waitFor("the reason", async () => REASON.test((await alice.get("/readyz")).body.reason));
  expect((await alice.post("/agents/chat_basic/execute", { task: "Refused" })).status).toBe(503);
});

test("an API that runs takes nothing until the policy is right again", async () => {
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
