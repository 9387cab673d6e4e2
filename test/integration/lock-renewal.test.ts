/** Locks of running jobs: the thread beside a worker's main thread keeps them, and says which are lost. */
import { newId } from "@agent-paas/shared/ids.ts";
import { createRedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { expect, inject, onTestFinished, test } from "vitest";
import { createThreadBeats } from "../../apps/worker/src/control/thread-beats.ts";
import { createHeldLocks } from "../../apps/worker/src/job/held-locks.ts";
import { type JobLock, LOCK_DURATION_MS } from "../../apps/worker/src/job/worker-locks.ts";
import { openTestRedis } from "../support/redis.ts";
import { waitFor } from "../support/wait-for.ts";

const NEVER = Number.POSITIVE_INFINITY;
/** More than one call renews, and the last one is not full. */
const JOBS = 600;

function open() {
  const keys = createRedisKeys(`t${newId().slice(-8)}`);
  const redis = openTestRedis(inject("redisUrl"), keys);
  onTestFinished(() => redis.disconnect());
  const lost: JobLock[] = [];
  const beats = createThreadBeats(redis, keys, (locks) => lost.push(...locks));
  beats.setRecord({
    ...{ id: "w", agents: [], can_write: true, slots: {}, locks: {}, stopping: false, busy: false },
  });
  const lockOf = (jobId: string) => keys.jobLock("chat", jobId);
  /** As many ticks as it takes until the locks are renewed once. */
  const renew = () => Array.from({ length: 5 }, () => beats.tick(0, NEVER));
  return { redis, keys, lost, beats, lockOf, renew };
}

const chat = (jobId: string, token = `w:${jobId}`): JobLock => ({ queue: "chat", jobId, token });

test("the locks of a burst of jobs are renewed while the main thread turns, and none counts as stalled", async () => {
  const { redis, keys, lost, beats, lockOf, renew } = open();
  const begun = Array.from({ length: JOBS }, (_, at) => chat(`job-${at}`));
  await Promise.all(begun.map(({ jobId, token }) => redis.set(lockOf(jobId), token, "PX", 5_000)));
  await redis.sadd(keys.stalledJobs("chat"), ...begun.map(({ jobId }) => jobId), "another worker's");
  beats.changeLocks({ begun, ended: [] });
  renew();

  await waitFor("renewed locks", async () => (await redis.scard(keys.stalledJobs("chat"))) === 1);
  const left = await Promise.all(begun.map(({ jobId }) => redis.pttl(lockOf(jobId))));
  expect(Math.min(...left)).toBeGreaterThan(LOCK_DURATION_MS - 5_000);
  expect(lost).toEqual([]);
});

test("a lock that expired and one that another worker has are reported once, and not touched", async () => {
  const { redis, keys, lost, beats, lockOf, renew } = open();
  const [kept, expired, taken] = [chat("kept"), chat("expired"), chat("taken")];
  await redis.set(lockOf("kept"), kept.token, "PX", 5_000);
  await redis.set(lockOf("taken"), "another:1", "PX", 5_000);
  await redis.sadd(keys.stalledJobs("chat"), "kept", "taken");
  beats.changeLocks({ begun: [kept, expired, taken], ended: [] });
  renew();
  await waitFor("lost locks", () => lost.length === 2);
  expect(lost).toEqual([expired, taken]);
  expect(await redis.pttl(lockOf("taken"))).toBeLessThanOrEqual(5_000);
  expect(await redis.smembers(keys.stalledJobs("chat"))).toEqual(["taken"]);

  await redis.sadd(keys.stalledJobs("chat"), "kept");
  renew();
  await waitFor("a renewed lock", async () => (await redis.sismember(keys.stalledJobs("chat"), "kept")) === 0);
  expect(lost).toHaveLength(2);
});

test("the lock of a job that has ended is left alone, and that of its next start is renewed", async () => {
  const { redis, lost, beats, lockOf, renew } = open();
  const [first, second] = [chat("again", "w:1"), chat("again", "w:2")];
  const ended = chat("ended");
  await redis.set(lockOf("again"), second.token, "PX", 5_000);
  beats.changeLocks({ begun: [first, ended], ended: [] });
  beats.changeLocks({ begun: [second], ended: [first, ended] });
  renew();
  await waitFor("a renewed lock", async () => (await redis.pttl(lockOf("again"))) > 5_000);
  expect(lost).toEqual([]);
});

test("held locks tell each change once, and nothing of a job that began and ended in between", async () => {
  const held = createHeldLocks();
  const [long, brief] = [chat("long"), chat("brief")];
  const { promise, resolve } = Promise.withResolvers<void>();
  const working = held.during(long, () => promise);
  await held.during(brief, async () => {});
  expect(held.takeChanges()).toEqual({ begun: [long], ended: [] });
  expect(held.takeChanges()).toEqual({ begun: [], ended: [] });
  expect([held.has(long), held.has(chat("long", "w:other")), held.has(brief)]).toEqual([true, false, false]);
  held.tellAllAgain();
  expect(held.takeChanges()).toEqual({ begun: [long], ended: [] });
  resolve();
  await working;
  expect(held.takeChanges()).toEqual({ begun: [], ended: [long] });
});

test("a job that is taken again before its first start has settled keeps the lock of the second", async () => {
  const held = createHeldLocks();
  const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const [old, current] = [chat("again", "w:1"), chat("again", "w:2")];
  const former = held.during(old, () => first.promise);
  const latter = held.during(current, () => second.promise);
  first.resolve();
  await former;
  expect([held.has(old), held.has(current)]).toEqual([false, true]);
  second.resolve();
  await latter;
  expect(held.has(current)).toBe(false);
});
