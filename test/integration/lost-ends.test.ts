/**
 * A failover can lose the end of a job although Redis confirmed it, while the job's completion, sent again, reaches the
 * new server: no queue has the job then, and its log has no end (I1).
 */
import { decodeEvents, readBounds } from "@agent-paas/shared/contract/events.ts";
import { encodeEntry } from "@agent-paas/shared/redis/session-queue.ts";
import { expect, onTestFinished, test } from "vitest";
import { expectOneDone, expectRisingIds } from "../support/expect-stream.ts";
import { loseEnd } from "../support/job-state.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { startPrivateRedis } from "../support/redis.ts";
import { type SseEvent, shownText } from "../support/sse-client.ts";
import { waitFor } from "../support/wait-for.ts";

async function start(): Promise<TestPlatform> {
  const redis = await startPrivateRedis();
  onTestFinished(() => redis.stop());
  const platform = await startTestPlatform({ redisUrl: redis.url });
  onTestFinished(() => platform.stop());
  return platform;
}

/** The job of the stream, when its queue has dropped it. */
async function ended({ redis, keys }: TestPlatform, events: readonly SseEvent[]) {
  const { job_id, session_id } = events.find(({ event }) => event === "done")?.data ?? {};
  await waitFor("the job to leave its queue", async () => (await redis.llen(keys.activeJobs("chat"))) === 0);
  return { jobId: String(job_id), sessionId: String(session_id) };
}

async function lastBatch({ redis, keys }: TestPlatform, jobId: string): Promise<Buffer> {
  const [entry] = await redis.xrevrangeBuffer(keys.eventLog(jobId), "+", "-", "COUNT", 1);
  return entry?.[1][1] ?? Buffer.alloc(0);
}

const breakConnections = async ({ redis }: TestPlatform): Promise<void> => {
  for (const type of ["normal", "pubsub"] as const) await redis.client("KILL", "TYPE", type, "SKIPME", "yes");
};

test("an end that Redis has lost is published again with its number, and its job leaves its session's queue", async () => {
  const platform = await start();
  const { alice, redis, keys } = platform;
  const stream = await alice.chat({ message: "[[tokens=40 rate=100]] An end that is lost" });
  const events = await stream.all();
  const { jobId, sessionId } = await ended(platform, events);

  await loseEnd(platform, jobId, 3);
  await redis.rpush(keys.sessionQueue(sessionId), encodeEntry({ kind: "chat", jobId }));
  await breakConnections(platform);

  await waitFor("the end", async () => readBounds(await lastBatch(platform, jobId)).terminal);
  const published = decodeEvents(await lastBatch(platform, jobId));
  expect(published.at(-1)).toMatchObject({ seq: Number(events.at(-1)?.id), event: "done" });
  await waitFor("the session's queue", async () => (await redis.exists(keys.sessionQueue(sessionId))) === 0);
  const followed = await (await alice.follow(jobId)).all();
  expectOneDone(followed, "the stream");
  expectRisingIds(followed);
  expect(shownText(followed)).toBe(shownText(events));
  const rest = await (await alice.follow(jobId, Number(events.at(-2)?.id))).all();
  expect(rest).toEqual([events.at(-1)]);
});

test("an entry in a session's queue that is left of a job with a published end goes", async () => {
  const platform = await start();
  const { alice, redis, keys } = platform;
  const events = await (await alice.chat({ message: "[[text=Done]] An entry that comes back" })).all();
  const { jobId, sessionId } = await ended(platform, events);
  const before = await redis.xlen(keys.eventLog(jobId));

  await redis.rpush(keys.sessionQueue(sessionId), encodeEntry({ kind: "chat", jobId }));
  await breakConnections(platform);

  await waitFor("the session's queue", async () => (await redis.exists(keys.sessionQueue(sessionId))) === 0);
  expect(await redis.xlen(keys.eventLog(jobId))).toBe(before);
});
