/**
 * A cancellation is durable (I7): once accepted, it survives the death of the worker that never received it and of
 * Redis, for a running job and for a queued one; and neither job is started again.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Server } from "../../scripts/services/server.ts";
import { readSome } from "../support/background-reader.ts";
import { dropLock } from "../support/bullmq.ts";
import { expectOneDone } from "../support/expect-stream.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { startPrivateRedis } from "../support/redis.ts";
import { shownText } from "../support/sse-client.ts";

let redis: Server;
let platform: TestPlatform;
beforeAll(async () => {
  redis = await startPrivateRedis();
  const env = { SSE_HEARTBEAT_MS: "500", WORKER_EXECUTE_CONCURRENCY: "1" };
  platform = await startTestPlatform({ redisUrl: redis.url, env });
  // The default may lose the last second before a crash, which is not what this test is about.
  await platform.redis.config("SET", "appendfsync", "always");
});
afterAll(async () => {
  await platform.stop();
  await redis.stop();
});

test("jobs cancelled before the worker and Redis died end as cancelled, and the model is not called again", async () => {
  const { alice, model, workers } = platform;
  const running = await alice.execute("[[tokens=2000 rate=20]] Cancelled while it runs");
  const waiting = await alice.execute("Cancelled while it waits");
  const { whole } = await readSome(await alice.follow(running));

  // A stopped worker can acknowledge no cancellation before it is killed.
  workers[0]?.signal("SIGSTOP");
  for (const jobId of [running, waiting]) {
    expect((await alice.cancel(jobId)).status).toBe(202);
  }
  await Promise.all([workers[0]?.kill(), redis.kill()]);
  await redis.start();
  await dropLock(platform, "execute", running);
  await platform.startWorker();

  for (const jobId of [running, waiting]) {
    expect(await alice.ended(jobId)).toMatchObject({ status: "cancelled", error: null, queue_position: null });
  }
  const events = await whole;
  expectOneDone(events, "the running job", "cancelled");
  expect(shownText(events)).toBe((await alice.job(running)).result.content);
  expectOneDone(await (await alice.follow(waiting)).all(), "the waiting job", "cancelled");
  expect(await model.calls({ contains: "Cancelled while it runs" })).toMatchObject([{ ended: "client_closed" }]);
  expect(await model.calls({ contains: "Cancelled while it waits" })).toEqual([]);
});
