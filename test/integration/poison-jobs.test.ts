/**
 * Poison jobs: jobs whose workers crash again and again are started in isolation, then finalized with an error. And the
 * numbers that the events of a crashed run may have had are not used again (I2).
 */
import { SECOND } from "@agent-paas/shared/time.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type BackgroundReader, countTexts, readSome } from "../support/background-reader.ts";
import { dropLock, makeDue } from "../support/bullmq.ts";
import { expectOneDone, expectRisingIds } from "../support/expect-stream.ts";
import { forgetJob, readJobState, writeJobState } from "../support/job-state.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { shownText } from "../support/sse-client.ts";
import { waitFor } from "../support/wait-for.ts";

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform({ env: { SSE_HEARTBEAT_MS: "500" } });
});
afterAll(() => platform.stop());

/** Upper bound of the first delay before an isolated start, ms. */
const ISOLATION_DELAY_MS = 20 * SECOND;

/** Sends a message and waits for some of the answer. */
async function ask(message: string): Promise<BackgroundReader & { jobId: string }> {
  const stream = await platform.alice.chat({ message });
  return { jobId: stream.jobId, ...(await readSome(stream)) };
}

/** Kills the latest worker and drops its lock on the job; a new worker starts after `meanwhile`. */
async function loseWorker(jobId: string, meanwhile: () => Promise<unknown> = async () => {}): Promise<void> {
  await platform.workers.at(-1)?.kill();
  await dropLock(platform, "chat", jobId);
  await meanwhile();
  await platform.startWorker();
}

const stateOf = (jobId: string) => readJobState(platform, jobId);
const secondAttempt = (jobId: string) =>
  waitFor("the second attempt", async () => (await stateOf(jobId)).attempts === 2);

test("a job that has lost three workers is delayed for an isolated start, and its stream reports the delay", async () => {
  const { jobId, seen, whole } = await ask("[[tokens=40 rate=20]] isolated");
  await writeJobState(platform, jobId, { unfinishedAttempts: 3 });
  await loseWorker(jobId);
  const { data } = await waitFor(
    "the report of the delay",
    () => seen.find(({ data: { delay_ms } }) => typeof delay_ms === "number"),
    30_000,
  );
  expect(data).toMatchObject({ type: "status" });
  expect(Number(data.delay_ms)).toBeLessThanOrEqual(ISOLATION_DELAY_MS);
  // The delay is reported before it is recorded.
  await waitFor("the record of the delay", async () => (await stateOf(jobId)).isolatedAfter === 3);
  // A short random delay may be over already.
  await waitFor(
    "the isolated start",
    async () => (await makeDue(platform, "chat", jobId)) || (await stateOf(jobId)).attempts === 2,
  );
  const events = await whole;
  expectOneDone(events, "the stream");
  expectRisingIds(events);
  expect(countTexts(events)).toBeGreaterThan(40);
});

test("a job that has lost five workers ends with worker_lost, and its session goes on", async () => {
  const { jobId, whole } = await ask("[[tokens=2000 rate=20]] poison");
  await writeJobState(platform, jobId, { unfinishedAttempts: 5 });
  await loseWorker(jobId);
  const events = await whole;
  expectOneDone(events, "the stream", "failed");
  expectRisingIds(events);
  expect(shownText(events)).toBe("");
  expect(events.at(-2)).toMatchObject({ event: "error", data: { code: "worker_lost", retryable: true } });
  const job = await platform.alice.job(jobId);
  expect(job).toMatchObject({ status: "failed", error: { code: "worker_lost" } });
  const next = { session_id: job.session_id, message: "[[text=Here]] Go on?" };
  expect(shownText(await (await platform.alice.chat(next)).all())).toBe("Here");
});

test("attempts that report how they end are not counted as unfinished", async () => {
  const retried = await ask("[[fault=cut after=6 times=1 tokens=40 rate=20]] again");
  await secondAttempt(retried.jobId);
  expect(await stateOf(retried.jobId)).toMatchObject({ unfinishedAttempts: 1 });
  await retried.whole;

  const { jobId, whole } = await ask("[[tokens=400 rate=20]] requeued");
  expect(await stateOf(jobId)).toMatchObject({ attempts: 1, unfinishedAttempts: 1 });
  const [stopped] = [platform.workers.at(-1), await platform.startWorker({ SHUTDOWN_GRACE_MS: "0" })];
  await stopped?.stop(15_000);
  await secondAttempt(jobId);
  expect(await stateOf(jobId)).toMatchObject({ attempts: 2, unfinishedAttempts: 1 });
  expect((await platform.alice.cancel(jobId)).status).toBe(202);
  expectOneDone(await whole, "the stream", "cancelled");
});

test("numbers that a client saw are not used again when the worker dies and Redis loses its last second", async () => {
  const { jobId, seen, whole } = await ask("[[tokens=60 rate=20]] fall back");
  await waitFor("more of the answer", () => countTexts(seen) >= 20);
  await loseWorker(jobId, async () => {
    const { redis, keys } = platform;
    const log = await redis.xrange(keys.eventLog(jobId), "-", "+");
    const lost = log.slice(-10).map(([id]) => id);
    await redis.xdel(keys.eventLog(jobId), ...lost);
    await redis.call("XSETID", keys.eventLog(jobId), log.at(-11)?.[0] ?? "");
  });
  const events = await whole;
  expectOneDone(events, "the stream");
  expectRisingIds(events);
  const answer = (await platform.alice.job(jobId)).result.content;
  expect(answer).not.toBe("");
  expect(shownText(events)).toBe(answer);
  // A client that resumes after the last number it saw gets all of the second attempt.
  const lastSeen = seen[seen.findIndex(({ data }) => data.type === "retry") - 1]?.id ?? 0;
  const resumed = await (await platform.alice.follow(jobId, lastSeen)).all();
  expect(shownText(resumed)).toBe(answer);
  expect(resumed[0]).toMatchObject({ data: { type: "retry" } });
});

test("numbers that a client saw are not used again when the worker dies and Redis loses the job's state and log", async () => {
  const { jobId, seen, whole } = await ask("[[tokens=60 rate=20]] forget all");
  await loseWorker(jobId, () => forgetJob(platform, jobId));
  const events = await whole;
  expectOneDone(events, "the stream");
  expectRisingIds(events);
  expect(events.filter(({ data }) => data.type === "retry").map(({ data }) => data.attempt)).toEqual([2]);
  expect(shownText(events)).toBe((await platform.alice.job(jobId)).result.content);
  expect(seen.length).toBeGreaterThan(60);
});
