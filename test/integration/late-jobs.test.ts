/** Jobs that a worker whose clock is ahead has delayed for longer than the platform delays anything. */
import { newId } from "@agent-paas/shared/ids.ts";
import { createRedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { HOUR, SECOND } from "@agent-paas/shared/time.ts";
import { expect, inject, test } from "vitest";
import { promoteLateJobs } from "../../apps/worker/src/recovery/late-jobs.ts";
import { openQueues } from "../support/open-queues.ts";
import { openTestRedis } from "../support/redis.ts";

test("late jobs of every queue are promoted; usual delays and the schedule of retention stay", async () => {
  const keys = createRedisKeys(`t${newId().slice(-8)}`);
  const redis = openTestRedis(inject("redisUrl"), keys);
  const { queues, maintenance } = openQueues({ redis, keys });
  const all = [...Object.values(queues), maintenance];
  for (const queue of all) {
    await queue.add("late", {}, { jobId: "late", delay: HOUR });
    await queue.add("soon", {}, { jobId: "soon", delay: 30 * SECOND });
  }
  await maintenance.upsertJobScheduler("retention", { every: 24 * HOUR, startDate: Date.now() + HOUR });
  await promoteLateJobs({ redis, queues: all, clock: { now: Date.now } });
  for (const queue of all) {
    expect((await queue.getWaiting()).map(({ id }) => id)).toEqual(["late"]);
    const stay = queue === maintenance ? ["soon", expect.stringContaining("repeat:retention")] : ["soon"];
    expect((await queue.getDelayed()).map(({ id }) => id)).toEqual(stay);
  }
});
