/**
 * Cancel is a durable intent (I7): once it is accepted, it outlives the worker that did not hear it and a Redis that is
 * killed, for a job that runs and for one that waits; and nothing of either job is begun again.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Server } from "../../scripts/services/server.ts";
import { expectOneDone } from "../support/expect-stream.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { startPrivateRedis } from "../support/redis.ts";
import { type SseEvent, shownText } from "../support/sse-client.ts";
import { waitFor } from "../support/wait-for.ts";

let redis: Server;
let platform: TestPlatform;
beforeAll(async () => {
  redis = await startPrivateRedis();
  const env = { SSE_HEARTBEAT_MS: "500", WORKER_EXECUTE_CONCURRENCY: "1" };
  platform = await startTestPlatform({ redisUrl: redis.url, env });
  // What the usual setting may lose under a slow disk is another matter.
  await platform.redis.config("SET", "appendfsync", "always");
});
afterAll(async () => {
  await platform.stop();
  await redis.stop();
});

test("what was cancelled before the worker and Redis died ends as cancelled, and the model hears no more of it", async () => {
  const { alice, keys, model, workers } = platform;
  const running = await alice.execute("[[tokens=2000 rate=20]] Cancelled while it runs");
  const waiting = await alice.execute("Cancelled while it waits");
  const seen: SseEvent[] = [];
  const whole = (async () => {
    for await (const event of (await alice.follow(running)).events()) seen.push(event);
  })();
  await waitFor("some of the answer", () => seen.length >= 5);

  // Frozen, so that it can acknowledge nothing; then dead.
  workers[0]?.signal("SIGSTOP");
  for (const jobId of [running, waiting]) {
    expect((await alice.post(`/jobs/${jobId}/cancel`, {})).status).toBe(202);
  }
  await Promise.all([workers[0]?.kill(), redis.kill()]);
  await redis.start();
  // In the place of the twenty seconds until it expires.
  await platform.redis.del(`${keys.queuedJob("execute", running)}:lock`);
  await platform.startWorker();

  for (const jobId of [running, waiting]) {
    expect(await alice.ended(jobId)).toMatchObject({ status: "cancelled", error: null, queue_position: null });
  }
  await whole;
  expectOneDone(seen, "the running job", "cancelled");
  expect(shownText(seen)).toBe((await alice.get(`/jobs/${running}`)).body.result.content);
  expectOneDone(await (await alice.follow(waiting)).all(), "the waiting job", "cancelled");
  expect(await model.calls({ contains: "Cancelled while it runs" })).toMatchObject([{ ended: "client_closed" }]);
  expect(await model.calls({ contains: "Cancelled while it waits" })).toEqual([]);
});
