/**
 * Jobs that lose their workers again and again: started apart, then given up with a clear end. And what a lost run may have
 * said: its numbers are not used again (I2).
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { expectOneDone, expectRisingIds } from "../support/expect-stream.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { type SseEvent, type SseStream, shownText } from "../support/sse-client.ts";
import { waitFor } from "../support/wait-for.ts";

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform({ env: { SSE_HEARTBEAT_MS: "500" } });
});
afterAll(() => platform.stop());

type Reading = { readonly seen: SseEvent[]; readonly whole: Promise<SseEvent[]> };

function read(stream: SseStream): Reading {
  const seen: SseEvent[] = [];
  const whole = (async () => {
    for await (const event of stream.events()) seen.push(event);
    return seen;
  })();
  return { seen, whole };
}

const textsOf = (events: readonly SseEvent[]) => events.filter(({ data }) => data.type === "text").length;

/** Asks, and waits for some of the answer. */
async function ask(message: string): Promise<Reading & { jobId: string }> {
  const stream = await platform.alice.chat({ message });
  const reading = read(stream);
  await waitFor("some of the answer", () => textsOf(reading.seen) >= 5);
  return { jobId: stream.jobId, ...reading };
}

/** The latest worker dies, its lock on the job is gone at once, and a new worker comes. */
async function loseWorker(jobId: string, meanwhile: () => Promise<unknown> = async () => {}): Promise<void> {
  await platform.workers.at(-1)?.kill();
  await platform.redis.del(`${platform.keys.queuedJob("chat", jobId)}:lock`);
  await meanwhile();
  await platform.startWorker();
}

const stateOf = (jobId: string) => platform.redis.hgetall(platform.keys.jobState(jobId));

/** As if the job had lost its workers before. */
const suspect = (jobId: string, openRuns: number) =>
  platform.redis.hset(platform.keys.jobState(jobId), "unfinished_attempts", openRuns);

test("a job that has lost three workers starts apart from others, and its clients are told", async () => {
  const { jobId, seen, whole } = await ask("[[tokens=40 rate=20]] apart");
  await suspect(jobId, 3);
  await loseWorker(jobId);
  const told = await waitFor(
    "word of the pause",
    () => seen.find(({ data }) => typeof data.delay_ms === "number"),
    30_000,
  );
  expect(told.data).toMatchObject({ type: "status", content: expect.stringContaining("已 3 次失去执行进程") });
  expect(told.data.delay_ms).toBeLessThanOrEqual(20_000);
  // Its time comes, if it has not yet.
  const waits = () => platform.redis.zadd(platform.keys.delayedJobs("chat"), "XX", "CH", 0, jobId);
  await waitFor("the pause or its end", async () => (await waits()) === 1 || (await stateOf(jobId)).attempts === "2");
  const events = await whole;
  expectOneDone(events, "the stream");
  expectRisingIds(events);
  expect(textsOf(events)).toBeGreaterThan(40);
});

test("one that has lost five is given up with a clear error, and its session goes on", async () => {
  const { jobId, whole } = await ask("[[tokens=2000 rate=20]] poison");
  await suspect(jobId, 5);
  await loseWorker(jobId);
  const events = await whole;
  expectOneDone(events, "the stream", "failed");
  expectRisingIds(events);
  expect(shownText(events)).toBe("");
  expect(events.at(-2)).toMatchObject({ event: "error", data: { code: "worker_lost", retryable: true } });
  const { body } = await platform.alice.get(`/jobs/${jobId}`);
  expect(body).toMatchObject({ status: "failed", error: { code: "worker_lost" } });
  const next = { session_id: body.session_id, message: "[[text=Here]] Go on?" };
  expect(shownText(await (await platform.alice.chat(next)).all())).toBe("Here");
});

test("runs that say how they end make no suspect", async () => {
  const retried = await ask("[[fault=cut after=6 times=1 tokens=40 rate=20]] again");
  await waitFor("the second run", async () => (await stateOf(retried.jobId)).attempts === "2");
  expect(await stateOf(retried.jobId)).toMatchObject({ unfinished_attempts: "1" });
  await retried.whole;

  const { jobId, whole } = await ask("[[tokens=400 rate=20]] handed back");
  expect(await stateOf(jobId)).toMatchObject({ attempts: "1", unfinished_attempts: "1" });
  const [stopped] = [platform.workers.at(-1), await platform.startWorker({ SHUTDOWN_GRACE_MS: "0" })];
  await stopped?.stop(15_000);
  await waitFor("the second run", async () => (await stateOf(jobId)).attempts === "2");
  expect(await stateOf(jobId)).toMatchObject({ attempts: "2", unfinished_attempts: "1" });
  expect((await platform.alice.post(`/jobs/${jobId}/cancel`, {})).status).toBe(202);
  expectOneDone(await whole, "the stream", "cancelled");
});

test("numbers that a client saw and that died with Redis and the worker are not used again", async () => {
  const { jobId, seen, whole } = await ask("[[tokens=60 rate=20]] fall back");
  await waitFor("more of the answer", () => textsOf(seen) >= 20);
  await loseWorker(jobId, async () => {
    // Redis comes back without its last second.
    const { redis, keys } = platform;
    const log = await redis.xrange(keys.eventLog(jobId), "-", "+");
    const lost = log.slice(-10).map(([id]) => id);
    await redis.xdel(keys.eventLog(jobId), ...lost);
    const kept = log.at(-11)?.[0].split("-")[0] ?? "";
    await redis.hset(keys.jobState(jobId), "seq", kept);
  });
  const events = await whole;
  expectOneDone(events, "the stream");
  expectRisingIds(events);
  const [answer] = (await platform.alice.get(`/jobs/${jobId}`)).body.result.content.match(/.+/s) ?? [];
  expect(shownText(events)).toBe(answer);
  // Who comes back with the last number it saw gets all of the second run.
  const lastSeen = seen[seen.findIndex(({ data }) => data.type === "retry") - 1]?.id ?? 0;
  const resumed = await (await platform.alice.follow(jobId, lastSeen)).all();
  expect(shownText(resumed)).toBe(answer);
  expect(resumed[0]).toMatchObject({ data: { type: "retry" } });
});

test("nor when Redis has lost all that it knew of the job's runs", async () => {
  const { jobId, seen, whole } = await ask("[[tokens=60 rate=20]] forget all");
  await loseWorker(jobId, () => platform.redis.del(platform.keys.jobState(jobId), platform.keys.eventLog(jobId)));
  const events = await whole;
  expectOneDone(events, "the stream");
  expectRisingIds(events);
  expect(events.filter(({ data }) => data.type === "retry").map(({ data }) => data.attempt)).toEqual([2]);
  expect(shownText(events)).toBe((await platform.alice.get(`/jobs/${jobId}`)).body.result.content);
  expect(seen.length).toBeGreaterThan(60);
});
