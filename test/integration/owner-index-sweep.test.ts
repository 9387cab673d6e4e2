/**
 * The reaper's sweep of owner indexes: entries and stored fields that a crash has left go, so they count against nobody
 * for ever; those of jobs that wait, run or are about to be queued stay.
 */
import { createIdSource, newId } from "@agent-paas/shared/ids.ts";
import { createRedisKeys } from "@agent-paas/shared/redis/keys.ts";
import {
  ENTER_SCRIPT,
  encodeOwnerEntry,
  LEAVE_SCRIPT,
  ownedKeysOf,
  ownerSetsOf,
} from "@agent-paas/shared/redis/owner-index.ts";
import { expect, inject, test } from "vitest";
import { createOwnerIndexSweep } from "../../apps/worker/src/recovery/owner-index-sweep.ts";
import { createJobRepository } from "../../apps/worker/src/storage/job-repository.ts";
import { createOrphanedJobRepository } from "../../apps/worker/src/storage/orphaned-job-repository.ts";
import { jobPayload } from "../support/job-payload.ts";
import { ownedBytes } from "../support/job-state.ts";
import { openQueues } from "../support/open-queues.ts";
import { openTestRedis } from "../support/redis.ts";
import { openTestDatabase } from "../support/test-database.ts";

const HOUR_MS = 3_600_000;

async function openSweep() {
  const { storage } = await openTestDatabase();
  const keys = createRedisKeys(`t${newId().slice(-8)}`);
  const redis = openTestRedis(inject("redisUrl"), keys);
  const { queues } = openQueues({ redis, keys });
  const oldId = createIdSource(() => Date.now() - HOUR_MS);
  const enterOwnerIndex = ENTER_SCRIPT.on(redis);
  const leaveOwnerIndex = LEAVE_SCRIPT.on(redis);
  const sets = { kind: "execute", owner: "alice" } as const;

  /** A job that was accepted an hour ago, or now, of 100 bytes. */
  async function enter({ isYoung = false, isQueued = false, hasStored = false } = {}): Promise<string> {
    const jobId = isYoung ? newId() : oldId();
    const stored = hasStored ? "other" : "nothing";
    const entry = encodeOwnerEntry({ jobId, bytes: 100, stored, sessionId: null, agentType: "a" });
    await enterOwnerIndex({
      ...ownedKeysOf(keys, { ...sets, job_id: jobId }),
      ...{ owner: "alice", job_id: jobId, entry, bytes: 100, stored_ttl: 60, upload_bytes: "" },
      rest: hasStored ? ["text", '"t"'] : [],
    });
    if (isQueued) await queues.execute.add("execute", jobPayload({ job_id: jobId }), { jobId });
    return jobId;
  }

  return {
    ...{ redis, keys, enter, jobs: createJobRepository(storage, "w") },
    leave: (jobId: string) => leaveOwnerIndex({ ...ownerSetsOf(keys, sets), owner: "alice", job_id: jobId }),
    sweep: createOwnerIndexSweep({
      ...{ redis, keys, clock: { now: Date.now }, logger: { warn: () => {} } },
      rows: createOrphanedJobRepository(storage, "w"),
    }),
    async left() {
      const [waiting, kept] = [keys.ownerIndex("execute", "alice"), keys.ownerStored("alice")];
      const entries = [...(await redis.zrange(waiting, 0, -1)), ...(await redis.zrange(kept, 0, -1))];
      return { ids: entries.map((entry) => entry.split(" ")[0]), bytes: await ownedBytes({ redis, keys }, "alice") };
    },
  };
}

test("a waiting job that stands nowhere in its queue enters it again", async () => {
  const { redis, keys, enter, sweep } = await openSweep();
  const [lost, waiting] = [await enter({ isQueued: true }), await enter({ isQueued: true })];
  await redis.lrem(keys.waitingJobs("execute"), 0, lost);
  await sweep();
  await sweep();
  expect((await redis.lrange(keys.waitingJobs("execute"), 0, -1)).sort()).toEqual([lost, waiting].sort());
});

test("an entry whose job no queue has goes with its stored fields, unless its job may be about to be queued", async () => {
  const { redis, keys, enter, leave, sweep, left } = await openSweep();
  const lost = await enter({ hasStored: true });
  const lostLater = await enter({ hasStored: true });
  await leave(lostLater);
  const young = await enter({ isYoung: true });
  const waiting = await enter({ isQueued: true, hasStored: true });
  await sweep();
  const { ids, bytes } = await left();
  expect(ids.sort()).toEqual([young, waiting].sort());
  expect(bytes).toBe(200);
  expect(await redis.exists(keys.payload(lost), keys.payload(lostLater))).toBe(0);
  // What a job that waits long was accepted with does not expire.
  expect(await redis.ttl(keys.payload(waiting))).toBeGreaterThan(60);
});

test("a started job waits no more, although its worker died before it took the entry out", async () => {
  const { enter, jobs, sweep, left } = await openSweep();
  const [small, large] = [await enter({ isQueued: true }), await enter({ isQueued: true, hasStored: true })];
  for (const jobId of [small, large]) await jobs.start(jobPayload({ job_id: jobId }), 1);
  await sweep();
  expect(await left()).toEqual({ ids: [large], bytes: 100 });
});

test("a sweep looks at a part of the entries, and the next ones at the rest", async () => {
  const { redis, keys, enter, sweep } = await openSweep();
  for (let at = 0; at < 1_100; at++) await enter();
  const counts: number[] = [];
  for (let pass = 0; pass < 3; pass++) {
    await sweep();
    counts.push(await redis.zcard(keys.ownerIndex("execute", "alice")));
  }
  expect(counts).toEqual([600, 100, 0]);
  expect(await redis.exists(keys.ownerBytes)).toBe(0);
});
