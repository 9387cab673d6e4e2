/** What one platform keeps in Redis and in its database, read and changed from outside. */
import { JOB_QUEUES, MAINTENANCE_QUEUE } from "@agent-paas/shared/contract/jobs.ts";
import { openReadStorage } from "@agent-paas/shared/db/open-storage.ts";
import type { Table } from "@agent-paas/shared/db/queries.ts";
import { connectionsOf } from "@agent-paas/shared/redis/connect.ts";
import { Queue } from "bullmq";
import type { PlatformRedis } from "./bullmq.ts";
import type { TestPlatform } from "./platform.ts";

export async function keysInRedis({ redis, keys }: PlatformRedis): Promise<string[]> {
  // `{prefix}…` and `{prefix:e0}…` alike.
  const match = `${keys.bullmq.slice(0, -1)}*`;
  const scans = connectionsOf(redis).map((server) => Array.fromAsync(server.scanStream({ match, count: 1_000 })));
  const pages = (await Promise.all(scans)) as string[][][];
  return [...new Set(pages.flat(2))];
}

/** What stands between the prefix and the id of a key: `job` in `{prefix:e0}:job:ID`. */
const sortOf = (key: string) => key.split(":").at(-2) ?? "";

/** The keys that the acceptance of a job or its start may write, BullMQ's own left out. */
export async function keysOfAcceptedJobs(platform: PlatformRedis): Promise<string[]> {
  const { keys } = platform;
  const written = [keys.jobState, keys.eventLog, keys.pendingSession, keys.sessionQueue, keys.upload, keys.payload].map(
    (keyOf) => keyOf(""),
  );
  const sorts = [...written, keys.idempotency("", "")].map(sortOf);
  return (await keysInRedis(platform)).filter((key) => sorts.includes(sortOf(key))).sort();
}

/** Redis loses all keys of this platform and keeps those of others. */
export async function emptyRedis(platform: PlatformRedis): Promise<void> {
  await Promise.all((await keysInRedis(platform)).map((name) => platform.redis.del(name)));
}

/** Jobs in any state in any queue, without those that a schedule adds. */
export async function countQueuedJobs({ redis, keys }: PlatformRedis): Promise<number> {
  const counts = await Promise.all(
    [...JOB_QUEUES, MAINTENANCE_QUEUE].map(async (name) => {
      const queue = new Queue(name, { connection: redis, prefix: keys.bullmq });
      const jobs = (await queue.getJobs()).filter((job) => job?.repeatJobKey === undefined);
      await queue.close();
      return jobs.length;
    }),
  );
  const outside = await Promise.all(JOB_QUEUES.map((name) => redis.zcard(keys.ownerQueues(name))));
  return [...counts, ...outside].reduce((sum, count) => sum + count, 0);
}

/** Reads the platform's database through a reader's storage that is closed afterwards. */
export async function readDatabase<T>(
  { databaseUrl }: Pick<TestPlatform, "databaseUrl">,
  read: (table: Table) => Promise<T>,
): Promise<T> {
  const storage = openReadStorage(databaseUrl);
  try {
    const found = await storage.read(async (table) => ({ value: await read(table) }), null);
    if (found === null) throw new Error("The database has no tables yet");
    return found.value;
  } finally {
    await storage.close();
  }
}
