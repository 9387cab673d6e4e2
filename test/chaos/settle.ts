import { createRedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { areQueuesIdle } from "../support/bullmq.ts";
import { openTestRedis } from "../support/redis.ts";
import { waitFor } from "../support/wait-for.ts";
import type { Stack } from "./stack.ts";

type Platform = Pick<Stack, "redisUrl" | "redisPrefix">;

/** Waits until no queue holds a job that can still run. After `withinMs` the checker reports the jobs left. */
export async function settle({ redisUrl, redisPrefix }: Platform, withinMs: number): Promise<void> {
  const keys = createRedisKeys(redisPrefix);
  const redis = openTestRedis(redisUrl, keys);
  await waitFor("the queues to be empty", () => areQueuesIdle({ redis, keys }), withinMs).catch(() => {});
  redis.disconnect();
}
