/** I1 for jobs that Redis lost before they began: nobody can finalize them, and no client waits for them for ever. */
import { expect, onTestFinished, test } from "vitest";
import { expectOneDone, expectRisingIds } from "../support/expect-stream.ts";
import { startTestPlatform } from "../support/platform.ts";
import { startPrivateRedis } from "../support/redis.ts";
import { settledWithin } from "../support/wait-for.ts";

/** The stated 10 s, and time for a busy machine. */
const LOST_WITHIN_MS = 30_000;

test("the streams and waits of jobs that Redis lost before they began end, and say that the job was lost", async () => {
  const redis = await startPrivateRedis();
  onTestFinished(() => redis.stop());
  const platform = await startTestPlatform({ redisUrl: redis.url, env: { SSE_HEARTBEAT_MS: "500" } });
  onTestFinished(() => platform.stop());
  const { alice } = platform;
  await platform.workers[0]?.kill();
  const stream = await alice.chat({ message: "a chat that waits" });
  const jobId = await alice.execute("a task that waits");
  const followed = await alice.follow(jobId);
  const waiting = alice.get(`/jobs/${jobId}?wait=60`);
  await platform.redis.flushall();

  for (const lost of [stream, followed]) {
    const events = await settledWithin("the end of the stream", LOST_WITHIN_MS, lost.all());
    expectOneDone(events, "the stream", "failed");
    expectRisingIds(events);
    expect(events.at(-2)).toMatchObject({ event: "error", data: { code: "job_lost", retryable: true } });
  }
  expect(await settledWithin("the wait", LOST_WITHIN_MS, waiting)).toMatchObject({ status: 404 });
});

test("the stream of a job that waits for a worker stays open", async () => {
  const platform = await startTestPlatform({ env: { SSE_HEARTBEAT_MS: "500" } });
  onTestFinished(() => platform.stop());
  const { alice } = platform;
  await platform.workers[0]?.kill();
  const stream = await alice.chat({ message: "[[text=Done]] a chat that waits" });
  const ended = stream.all();
  // Nothing shows that a stream will not end, but the time in which a lost one does.
  await expect(settledWithin("a lost job's stream", 13_000, ended)).rejects.toThrow("took longer");
  await platform.startWorker();
  expectOneDone(await ended, "the stream", "completed");
}, 60_000);
