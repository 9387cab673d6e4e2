/** I1 for jobs that nobody owns any more: the reaper of any worker ends them, and every client is told, once. */
import type { JobPayload } from "@agent-paas/shared/contract/jobs.ts";
import { newId } from "@agent-paas/shared/ids.ts";
import { HOUR, MINUTE, SECOND } from "@agent-paas/shared/time.ts";
import { Queue } from "bullmq";
import { expect, onTestFinished, test } from "vitest";
import { expectOneDone, expectRisingIds } from "../support/expect-stream.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { startPrivateRedis } from "../support/redis.ts";
import { type SseEvent, type SseStream, shownText } from "../support/sse-client.ts";
import { waitFor } from "../support/wait-for.ts";

const LONG_ANSWER = "[[tokens=2000 rate=20]] Talk for long";

async function startPlatform(redisUrl?: string): Promise<TestPlatform> {
  const env = { SSE_HEARTBEAT_MS: "500" };
  const platform = await startTestPlatform(redisUrl === undefined ? { env } : { env, redisUrl });
  onTestFinished(() => platform.stop());
  return platform;
}

/** Reads on in the background; resolves when the client has seen some of the answer. */
async function readSome(stream: SseStream): Promise<{ whole: Promise<SseEvent[]> }> {
  const seen: SseEvent[] = [];
  const whole = (async () => {
    for await (const event of stream.events()) seen.push(event);
    return seen;
  })();
  await waitFor("some of the answer", () => seen.length >= 5);
  return { whole };
}

/** The worker dies, and the queue forgets the job. */
async function loseJob({ redis, keys, workers }: TestPlatform, jobId: string): Promise<void> {
  await workers[0]?.kill();
  const queued = keys.queuedJob("chat", jobId);
  await redis.del(queued, `${queued}:lock`);
  await redis.lrem(`${keys.bullmq}:chat:active`, 0, jobId);
}

/** As if the job had been claimed a minute earlier. */
async function ageClaim({ redis, keys }: TestPlatform, jobId: string): Promise<void> {
  const state = keys.jobState(jobId);
  await redis.expire(state, (await redis.ttl(state)) - MINUTE / SECOND);
}

test("a running job that was taken from the queue ends as failed when its worker is dead", async () => {
  const platform = await startPlatform();
  const { alice } = platform;
  const stream = await alice.chat({ message: LONG_ANSWER });
  const { whole } = await readSome(stream);
  await loseJob(platform, stream.jobId);
  await ageClaim(platform, stream.jobId);
  await platform.startWorker();

  const events = await whole;
  expectOneDone(events, "the stream", "failed");
  expectRisingIds(events);
  expect(events.at(-2)).toMatchObject({ event: "error", data: { code: "worker_lost", retryable: true } });
  expect(shownText(events)).toBe("");
  expect((await alice.get(`/jobs/${stream.jobId}`)).body).toMatchObject({
    status: "failed",
    error: { code: "worker_lost" },
  });
  expect(await (await alice.follow(stream.jobId)).all()).toEqual(events);
  const next = { session_id: stream.sessionId, message: "[[text=Here]] Go on?" };
  expect(shownText(await (await alice.chat(next)).all())).toBe("Here");
});

test("one that somebody wanted cancelled ends as cancelled", async () => {
  const platform = await startPlatform();
  const { alice } = platform;
  const stream = await alice.chat({ message: LONG_ANSWER });
  const { whole } = await readSome(stream);
  await loseJob(platform, stream.jobId);
  expect((await alice.post(`/jobs/${stream.jobId}/cancel`, {})).status).toBe(202);
  await ageClaim(platform, stream.jobId);
  await platform.startWorker();
  expectOneDone(await whole, "the stream", "cancelled");
  expect((await alice.get(`/jobs/${stream.jobId}`)).body).toMatchObject({ status: "cancelled", error: null });
});

test("when Redis loses everything under a running job, it ends, its client is told, and its session goes on", async () => {
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
  const { body } = await alice.get(`/jobs/${stream.jobId}`);
  expect(body).toMatchObject({ status: "failed", error: { code: "worker_lost" } });
  // Who comes back with what it had seen before the loss gets the end too.
  const resumed = await (await alice.follow(stream.jobId, 3)).all();
  expectOneDone(resumed, "the resumed stream", "failed");
  expect(shownText(resumed)).toBe("");

  await waitFor("the agents to be listed again", async () => (await alice.get("/agents")).body.agents.length > 0);
  const next = { session_id: stream.sessionId, message: "[[text=Here]] Go on?" };
  expect(shownText(await (await alice.chat(next)).all())).toBe("Here");
});

test("a job that a worker is at is left to it, however long ago it was claimed", async () => {
  const platform = await startPlatform();
  const stream = await platform.alice.chat({ message: "[[tokens=200 rate=20]] Talk for ten seconds" });
  const { whole } = await readSome(stream);
  await ageClaim(platform, stream.jobId);
  expectOneDone(await whole, "the stream");
  expect((await platform.alice.get(`/jobs/${stream.jobId}`)).body).toMatchObject({ status: "completed", attempt: 1 });
});

test("a job that failed in the queue while nobody listened ends without a restart of any worker", async () => {
  const platform = await startPlatform();
  const { alice, redis, keys } = platform;
  const payload: JobPayload = {
    ...{ job_id: newId(), kind: "chat", owner: "alice", agent_type: "chat_basic", session_id: newId(), text: "Hello" },
    ...{ config: {}, limits: {}, metadata: {}, locale: "en", request_id: "r", accepted_at: new Date().toISOString() },
  };
  const { job_id: jobId } = payload;
  const queue = new Queue("chat", { connection: redis, prefix: keys.bullmq });
  onTestFinished(() => queue.close());
  await queue.add("chat", payload, { jobId, delay: HOUR });
  const now = Date.now();
  await redis
    .multi()
    .zrem(`${keys.bullmq}:chat:delayed`, jobId)
    .hset(keys.queuedJob("chat", jobId), "finishedOn", now, "failedReason", "stalled too often")
    .zadd(`${keys.bullmq}:chat:failed`, now, jobId)
    .exec();
  expect(await alice.ended(jobId)).toMatchObject({ status: "failed", error: { code: "worker_lost" } });
  expectOneDone(await (await alice.follow(jobId)).all(), "the stream", "failed");
});

test("a message that waits behind a turn without a job runs, without a look of anybody but its own", async () => {
  const { alice, redis, keys } = await startPlatform();
  const first = await alice.chat({ message: "[[text=One]] Hello" });
  await first.all();
  await redis.rpush(keys.sessionQueue(first.sessionId ?? ""), `chat:${newId()}`);
  const second = await alice.chat({ session_id: first.sessionId, message: "[[text=Two]] Hello" });
  const events = await second.all();
  expect(events[0]).toMatchObject({ data: { type: "queued", position: 1 } });
  expect(shownText(events)).toBe("Two");
});
