/**
 * The memory of Redis, and the check that Redis evicts no keys. Queues, event logs and idempotency records exist only
 * in Redis, so an eviction would lose accepted jobs (I1). The data comes from INFO, because managed services refuse
 * CONFIG.
 */
import type { RedisConnection } from "./connect.ts";

export type RedisMemory = {
  readonly usedBytes: number;
  /** 0: no limit is set. */
  readonly maxBytes: number;
  readonly policy: string;
};

const SAFE_POLICY = "noeviction";

export async function readRedisMemory(redis: RedisConnection): Promise<RedisMemory> {
  const fields = new Map(
    (await redis.info("memory")).split(/\r?\n/).map((line) => line.split(":", 2) as [string, string]),
  );
  return {
    usedBytes: Number(fields.get("used_memory") ?? 0),
    maxBytes: Number(fields.get("maxmemory") ?? 0),
    // Compatible servers that report no policy do not evict keys.
    policy: fields.get("maxmemory_policy") ?? SAFE_POLICY,
  };
}

/** The reason why this Redis cannot be used, as a sentence for operators; null if it evicts no keys. */
export const evictionProblem = ({ policy }: RedisMemory): string | null =>
  policy === SAFE_POLICY
    ? null
    : `Redis evicts keys when its memory is full (maxmemory-policy ${policy}), so accepted jobs would be lost: set maxmemory-policy ${SAFE_POLICY}.`;

/** Throws if Redis evicts keys. On a connection of the role `worker` it waits until Redis can be reached. */
export async function assertNoEviction(redis: RedisConnection): Promise<void> {
  const problem = evictionProblem(await readRedisMemory(redis));
  if (problem !== null) throw new Error(problem);
}
