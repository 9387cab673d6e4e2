/** I1 for orphaned jobs: the reaper of any worker finalizes them, and every client gets one terminal event. */
import { newId } from "@agent-paas/shared/ids.ts";
import { HOUR, MINUTE } from "@agent-paas/shared/time.ts";
import { expect, onTestFinished, test } from "vitest";
import { readSome } from "../support/background-reader.ts";
import { failUnnoticed, loseQueuedJob } from "../support/bullmq.ts";
import { expectOneDone, expectRisingIds } from "../support/expect-stream.ts";
import { jobPayload } from "../support/job-payload.ts";
import { ageClaim, writeJobState } from "../support/job-state.ts";
import { openQueue } from "../support/open-queues.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { startPrivateRedis } from "../support/redis.ts";
import { shownText } from "../support/sse-client.ts";
import { waitFor } from "../support/wait-for.ts";

const LONG_ANSWER = "[[tokens=2000 rate=20]] Answer at length";

async function startPlatform(redisUrl?: string): Promise<TestPlatform> {
  const env = { SSE_HEARTBEAT_MS: "500" };
  const platform = await startTestPlatform(redisUrl === undefined ? { env } : { env, redisUrl });
  onTestFinished(() => platform.stop());
  return platform;
}

/** The worker dies, and the queue loses the job. */
async function orphanJob(platform: TestPlatform, jobId: string): Promise<void> {
  await platform.workers[0]?.kill();
  await loseQueuedJob(platform, "chat", jobId);
}

test("an orphaned job ends as failed, and its session goes on", async () => {
  const platform = await startPlatform();
  const { alice } = platform;
  const stream = await alice.chat({ message: LONG_ANSWER });
  const { whole } = await readSome(stream);
  await orphanJob(platform, stream.jobId);
  await ageClaim(platform, stream.jobId, MINUTE);
  await platform.startWorker();

  const events = await whole;
  expectOneDone(events, "the stream", "failed");
  expectRisingIds(events);
  expect(events.at(-2)).toMatchObject({ event: "error", data: { code: "worker_lost", retryable: true } });
  expect(shownText(events)).toBe("");
  expect(await alice.job(stream.jobId)).toMatchObject({ status: "failed", error: { code: "worker_lost" } });
  expect(await (await alice.follow(stream.jobId)).all()).toEqual(events);
  const next = { session_id: stream.sessionId, message: "[[text=Here]] Go on?" };
  expect(shownText(await (await alice.chat(next)).all())).toBe("Here");
});

test("an orphaned job for which a cancellation was accepted ends as cancelled", async () => {
  const platform = await startPlatform();
  const { alice } = platform;
  const stream = await alice.chat({ message: LONG_ANSWER });
  const { whole } = await readSome(stream);
  await orphanJob(platform, stream.jobId);
  expect((await alice.cancel(stream.jobId)).status).toBe(202);
  await ageClaim(platform, stream.jobId, MINUTE);
  await platform.startWorker();
  expectOneDone(await whole, "the stream", "cancelled");
  expect(await alice.job(stream.jobId)).toMatchObject({ status: "cancelled", error: null });
});

test("a running job whose Redis loses all data ends as failed on the stream, and its session goes on", async () => {
  const redis = await startPrivateRedis();
  onTestFinished(() => redis.stop());
  const platform = await startPlatform(redis.url);
  const { alice } = platform;
  const stream = await alice.chat({ message: LONG_ANSWER });
  const { whole } = await readSome(stream);
  await platform.redis.flushall();

  const events = await whole;
  expectOneDone(events, "the stream", "failed");
  expectRisingIds(events);
  expect(shownText(events)).toBe("");
  expect(await alice.job(stream.jobId)).toMatchObject({ status: "failed", error: { code: "worker_lost" } });
  // A client that resumes after an event from before the loss gets the terminal event too.
  const resumed = await (await alice.follow(stream.jobId, 3)).all();
  expectOneDone(resumed, "the resumed stream", "failed");
  expect(shownText(resumed)).toBe("");

  await waitFor("the agents to be listed again", async () => (await alice.get("/agents")).body.agents.length > 0);
  const next = { session_id: stream.sessionId, message: "[[text=Here]] Go on?" };
  expect(shownText(await (await alice.chat(next)).all())).toBe("Here");
});

test("a job that a worker runs is not finalized by the reaper, even if it was claimed long ago", async () => {
  const platform = await startPlatform();
  const stream = await platform.alice.chat({ message: "[[tokens=200 rate=20]] Answer for ten seconds" });
  const { whole } = await readSome(stream);
  await ageClaim(platform, stream.jobId, MINUTE);
  expectOneDone(await whole, "the stream");
  expect(await platform.alice.job(stream.jobId)).toMatchObject({ status: "completed", attempt: 1 });
});

test("a job that failed in the queue without a listener is finalized without a restart of any worker", async () => {
  const platform = await startPlatform();
  const { alice } = platform;
  const payload = jobPayload({ kind: "chat", session_id: newId() });
  const { job_id: jobId } = payload;
  await openQueue(platform, "chat").add("chat", payload, { jobId, delay: HOUR });
  await failUnnoticed(platform, "chat", jobId, "stalled too often");
  expect(await alice.ended(jobId)).toMatchObject({ status: "failed", error: { code: "worker_lost" } });
  expectOneDone(await (await alice.follow(jobId)).all(), "the stream", "failed");
});

test("a message that waits behind a dangling entry runs after its own next check", async () => {
  const { alice, redis, keys } = await startPlatform();
  const first = await alice.chat({ message: "[[text=One]] Hello" });
  await first.all();
  await redis.rpush(keys.sessionQueue(first.sessionId ?? ""), `chat:${newId()}`);
  const second = await alice.chat({ session_id: first.sessionId, message: "[[text=Two]] Hello" });
  const events = await second.all();
  expect(events[0]).toMatchObject({ data: { type: "queued", position: 1 } });
  expect(shownText(events)).toBe("Two");
});

test("a waiting job that finalizers claimed and left is started all the same, without using up its retries", async () => {
  const platform = await startPlatform();
  const { alice } = platform;
  await platform.workers[0]?.kill();
  const stream = await alice.chat({ message: "[[text=Done]] Wait" });
  // As after four tries of which each was killed, or failed to write, behind its claim.
  await writeJobState(platform, stream.jobId, { fencingToken: 4 });
  await platform.startWorker();
  const events = await stream.all();
  expectOneDone(events, "the stream", "completed");
  expect(shownText(events)).toBe("Done");
});
