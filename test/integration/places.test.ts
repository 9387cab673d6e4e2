/** Places on a real Redis, without workers: who gets one, in which turn, and what becomes of it. */
import { newId } from "@agent-paas/shared/ids.ts";
import { createRedisKeys } from "@agent-paas/shared/redis/keys.ts";
import {
  KEEP_SCRIPT,
  LEAVE_SCRIPT,
  PROMOTE_SCRIPT,
  placeValues,
  STEP_BACK_SCRIPT,
  SWEEP_SCRIPT,
  YIELD_SCRIPT,
} from "@agent-paas/shared/redis/places.ts";
import { expect, inject, onTestFinished, test } from "vitest";
import { ACCEPT_SCRIPT } from "../../apps/api/src/queue/accept-script.ts";
import { setSlots } from "../support/bullmq.ts";
import { ownedBytes } from "../support/job-state.ts";
import { openTestRedis } from "../support/redis.ts";

/** A queue whose workers have `all` slots, `own` of them for one owner alone. */
async function openPlaces(own: number, all: number) {
  const keys = createRedisKeys(`t${newId().slice(-8)}`);
  const redis = openTestRedis(inject("redisUrl"), keys);
  onTestFinished(async () => {
    await redis.del(...(await redis.keys(`${keys.bullmq}*`)));
    redis.disconnect();
  });
  if (all > 0) await setSlots({ redis, keys }, "chat", { own, all });
  const scripts = {
    accept: ACCEPT_SCRIPT.on(redis),
    leave: LEAVE_SCRIPT.on(redis),
    yield: YIELD_SCRIPT.on(redis),
    keep: KEEP_SCRIPT.on(redis),
    promote: PROMOTE_SCRIPT.on(redis),
    stepBack: STEP_BACK_SCRIPT.on(redis),
    sweep: SWEEP_SCRIPT.on(redis),
  };
  const valuesOf = (owner: string, jobId: string) => placeValues(keys, "chat", { owner, jobId });
  const noKeys = {
    ...{ record_key: keys.idempotency("", ""), pending: keys.pendingSession(""), queue: keys.sessionQueue("") },
    ...{ payload: keys.payload(""), upload: keys.upload("") },
  };
  const noValues = { again: 0, record: "", record_ttl: 1, new_session: "", entry: "", upload_bytes: "" };
  const job = { job_name: "chat", data: "{}", options: "{}", timestamp: 1, on_busy: "queue", bullmq_prefix: "" };
  const limits = { limit: 10_000, max_owner_jobs: 10_000, max_owner_bytes: 10 ** 9 };
  /** Accepts a job outside any session. */
  const accept = (owner: string, jobId: string) =>
    scripts.accept({
      ...{ ...valuesOf(owner, jobId), ...noKeys, ...noValues, ...job, ...limits, bytes: 1_024 },
      ...{
        index: keys.ownerIndex("chat", owner),
        other_index: keys.ownerIndex("execute", owner),
        sum: keys.ownerBytes,
      },
      owner_entry: `${jobId} 1024 - - chat`,
    });
  let added = 0;
  return {
    redis,
    keys,
    async add(owner: string): Promise<string> {
      const jobId = `job-${String(++added).padStart(4, "0")}`;
      await accept(owner, jobId);
      return jobId;
    },
    accept,
    leave: (owner: string, jobId: string) => scripts.leave(valuesOf(owner, jobId)),
    yield: (owner: string, jobId: string) => scripts.yield(valuesOf(owner, jobId)),
    /** As a worker that has taken the job from the queue. */
    async delay(jobId: string): Promise<void> {
      await redis.lrem(keys.waitingJobs("chat"), 1, jobId);
      await redis.zadd(keys.delayedJobs("chat"), 1, jobId);
    },
    keep: async (owner: string, jobId: string) => (await scripts.keep(valuesOf(owner, jobId))) === 1,
    promote: (owner: string, jobId: string) => scripts.promote(valuesOf(owner, jobId)),
    stepBack: (owner: string, jobId: string) => scripts.stepBack(valuesOf(owner, jobId)),
    sweep: (rest: string[]) => scripts.sweep({ ...valuesOf("", ""), rest }),
    /** How many places each owner holds. */
    async held(): Promise<Record<string, number>> {
      const owners = (await redis.zrange(keys.places("chat"), 0, -1)).map((member) => member.replace(/:.*$/, ""));
      return Object.fromEntries([...Map.groupBy(owners, (owner) => owner)].map(([owner, all]) => [owner, all.length]));
    },
    /** Jobs in the queue, the next one first. */
    queue: async () => (await redis.lrange(keys.waitingJobs("chat"), 0, -1)).reverse(),
    waiting: () => redis.zrange(keys.ownerQueues("chat"), 0, -1),
  };
}

type Places = Awaited<ReturnType<typeof openPlaces>>;

async function addMany(places: Places, owner: string, count: number): Promise<string[]> {
  const jobs: string[] = [];
  while (jobs.length < count) jobs.push(await places.add(owner));
  return jobs;
}

test("an owner alone gets the slots without the reserved ones, and the next owners parts of what is left", async () => {
  const places = await openPlaces(20, 25);
  for (const owner of ["a", "b", "c", "d"]) await addMany(places, owner, 100);
  expect(await places.held()).toEqual({ a: 20, b: 4, c: 1, d: 1 });
});

test("owners who flood converge to equal numbers of places as jobs end", async () => {
  const places = await openPlaces(20, 25);
  for (const owner of ["a", "b", "c"]) await addMany(places, owner, 500);
  for (let no = 0; no < 300; no++) {
    const [member] = await places.redis.zrandmember(places.keys.places("chat"), 1);
    const [owner = "", jobId = ""] = (member ?? "").split(":");
    await places.leave(owner, jobId);
  }
  const held = await places.held();
  for (const count of Object.values(held)) expect(Math.abs(count - 7)).toBeLessThanOrEqual(1);
  expect(await places.add("newcomer")).toBe((await places.queue()).at(-1));
});

test("free places go round the owners, and the jobs of an owner keep their order", async () => {
  const places = await openPlaces(1, 1);
  const first = await places.add("a");
  const [a, b, c] = [await addMany(places, "a", 2), await addMany(places, "b", 3), await addMany(places, "c", 3)];
  // Each owner may have one; the others wait.
  expect(await places.queue()).toEqual([first, b[0], c[0]]);
  for (const [owner, jobId] of [
    ["b", b[0]],
    ["c", c[0]],
    ["a", first],
  ] as const) {
    await places.leave(owner, jobId ?? "");
  }
  expect((await places.queue()).slice(3)).toEqual([b[1], c[1], a[0]]);
});

test("names of which one begins with the other are two owners", async () => {
  const places = await openPlaces(1, 2);
  for (const owner of ["a", "a-b", "a_b", "a.b", "A", "a1"]) await addMany(places, owner, 3);
  expect(await places.held()).toEqual({ A: 1, a: 1, "a-b": 1, "a.b": 1, a1: 1, a_b: 1 });
});

test("every owner may hold a hundred places while no worker has said how many slots it has", async () => {
  const places = await openPlaces(0, 0);
  await addMany(places, "a", 101);
  await addMany(places, "b", 1);
  expect([await places.held(), await places.waiting()]).toEqual([{ a: 100, b: 1 }, ["a:job-0101"]]);
});

test("a job whose acceptance reaches Redis a second time changes nothing", async () => {
  const places = await openPlaces(1, 2);
  const jobId = await places.add("a");
  expect(await places.accept("a", jobId)).toEqual(["accepted"]);
  expect([await places.queue(), await places.waiting()]).toEqual([[jobId], []]);
  expect(await ownedBytes(places, "a")).toBe(1_024);
});

test("a job that starts again keeps its place unless its owner has too many since workers have died", async () => {
  const places = await openPlaces(4, 5);
  const jobs = await addMany(places, "a", 6);
  expect(await places.keep("a", jobs[0] ?? "")).toBe(true);
  await setSlots(places, "chat", { own: 2, all: 3 });
  expect(await places.keep("a", jobs[0] ?? "")).toBe(false);
  // Its worker has delayed it.
  await places.delay(jobs[0] ?? "");
  await places.stepBack("a", jobs[0] ?? "");
  expect(await places.held()).toEqual({ a: 3 });
  expect((await places.waiting())[0]).toBe(`a:${jobs[0]}`);
  for (const jobId of jobs.slice(1, 4)) await places.leave("a", jobId);
  expect((await places.queue()).slice(3)).toEqual([jobs[0], jobs[4]]);
});

test("a promoted job waits for a place, and one that is not delayed stays as it is", async () => {
  const places = await openPlaces(1, 2);
  const [holder = "", waiting = ""] = await addMany(places, "a", 2);
  await places.promote("a", waiting);
  expect(await places.queue()).toEqual([holder]);
  await places.delay(holder);
  await places.leave("a", holder);
  await places.promote("a", holder);
  expect([await places.queue(), await places.waiting()]).toEqual([[waiting], [`a:${holder}`]]);
});

test("a message that is promoted before its worker has given its place up enters with that place", async () => {
  const places = await openPlaces(1, 2);
  const [first = "", second = ""] = await addMany(places, "a", 2);
  await places.delay(first);
  await places.promote("a", first);
  expect([await places.queue(), await places.waiting()]).toEqual([[first], [`a:${second}`]]);
  // The worker that delayed it gives its place up at last.
  await places.yield("a", first);
  expect([await places.held(), await places.queue()]).toEqual([{ a: 1 }, [first]]);
});

test("a delayed job gives its place up once, and its entry in the owner's queue stays", async () => {
  const places = await openPlaces(1, 2);
  const [first = "", second = ""] = await addMany(places, "a", 2);
  await places.delay(first);
  await places.yield("a", first);
  expect(await places.queue()).toEqual([second]);
  await places.promote("a", first);
  await places.yield("a", first);
  expect(await places.waiting()).toEqual([`a:${first}`]);
});

test("a sweep removes entries without a job, leaves the others, and gives out what is free", async () => {
  const places = await openPlaces(1, 2);
  await places.redis.zadd(places.keys.places("chat"), 0, "a:gone");
  const jobId = await places.add("a");
  expect(await places.queue()).toEqual([]);
  await places.sweep(["a:gone", `a:${jobId}`]);
  expect([await places.held(), await places.queue()]).toEqual([{ a: 1 }, [jobId]]);
});
