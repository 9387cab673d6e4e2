/**
 * An API that starts while Redis is down answers without waiting for it, and works when Redis is up, without a restart.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Server } from "../../scripts/services/server.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { startPrivateRedis } from "../support/redis.ts";
import { settledWithin, waitFor } from "../support/wait-for.ts";

/** Far above the second after which the API gives up on Redis. */
const ANSWERED_WITHIN_MS = 10_000;

let redis: Server;
let platform: TestPlatform;
beforeAll(async () => {
  redis = await startPrivateRedis();
  await redis.kill();
  platform = await startTestPlatform({ redisUrl: redis.url, workers: 0 });
});
afterAll(async () => {
  await platform.stop();
  await redis.stop();
});

test("an API that started without Redis refuses chats, reports it in health, and serves chats once Redis is up", async () => {
  const { alice } = platform;
  const answers = Promise.all([alice.chatWhole("Too early"), alice.get("/health"), alice.get("/readyz")]);
  const [chat, health, ready] = await settledWithin("the answers without Redis", ANSWERED_WITHIN_MS, answers);
  expect([chat.status, health.status, ready.status]).toEqual([503, 503, 503]);
  expect(health.body).toMatchObject({
    status: "down",
    checks: { redis: { status: "down" }, queues: { status: "down" } },
  });

  await redis.start();
  await platform.startWorker();
  await waitFor("health", async () => (await alice.get("/health")).body.checks.redis.status === "up");
  const stream = await waitFor("chats", () =>
    alice.chat({ message: "After the start of Redis" }).catch(() => false as const),
  );
  expect((await stream.all()).at(-1)).toMatchObject({ event: "done", data: { status: "completed" } });
});
