/** What one platform has in Redis, looked at and taken away from outside. */
import { JOB_KINDS, MAINTENANCE_QUEUE } from "@agent-paas/shared/contract/jobs.ts";
import { Queue } from "bullmq";
import type { TestPlatform } from "./platform.ts";

type InRedis = Pick<TestPlatform, "redis" | "keys">;

export async function keysInRedis({ redis, keys }: InRedis): Promise<string[]> {
  // `{prefix}…` and `{prefix:e0}…` alike.
  const match = `${keys.bullmq.slice(0, -1)}*`;
  const pages = (await Array.fromAsync(redis.scanStream({ match, count: 1_000 }))) as string[][];
  return [...new Set(pages.flat())];
}

/** Redis forgets this platform, as after the loss of its data. */
export async function emptyRedis(platform: InRedis): Promise<void> {
  const names = await keysInRedis(platform);
  if (names.length > 0) await platform.redis.del(...names);
}

/** Jobs that any queue knows, in whatever state, but the platform's own that come round by themselves. */
export async function countQueuedJobs({ redis, keys }: InRedis): Promise<number> {
  const counts = await Promise.all(
    [...JOB_KINDS, MAINTENANCE_QUEUE].map(async (name) => {
      const queue = new Queue(name, { connection: redis, prefix: keys.bullmq });
      const jobs = (await queue.getJobs()).filter((job) => job?.repeatJobKey === undefined);
      await queue.close();
      return jobs.length;
    }),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}
