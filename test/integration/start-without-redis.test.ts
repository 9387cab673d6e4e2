/** An API that starts while Redis is away answers at once, says so, and works when Redis comes, without a restart. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Server } from "../../scripts/services/server.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { startPrivateRedis } from "../support/redis.ts";
import { waitFor } from "../support/wait-for.ts";

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

test("refused at once, told by health, mended by itself", async () => {
  const askedAt = performance.now();
  const { alice } = platform;
  const [chat, health, ready] = await Promise.all([
    alice.post("/chat/completions", { agent_type: "chat_basic", message: "Anybody there?" }),
    alice.get("/health"),
    alice.get("/readyz"),
  ]);
  expect([chat.status, health.status, ready.status]).toEqual([503, 503, 503]);
  expect(health.body).toMatchObject({
    status: "down",
    checks: { redis: { status: "down" }, queues: { status: "down" } },
  });
  expect(performance.now() - askedAt).toBeLessThan(2_000);

  await redis.start();
  await platform.startWorker();
  await waitFor("health", async () => (await alice.get("/health")).body.checks.redis.status === "up");
  const stream = await waitFor("chats", () => alice.chat({ message: "Anybody there?" }).catch(() => false as const));
  expect((await stream.all()).at(-1)).toMatchObject({ event: "done", data: { status: "completed" } });
});
