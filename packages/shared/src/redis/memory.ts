/**
 * What Redis says of its memory, by INFO, which managed services allow where they refuse CONFIG. Queues, event logs and
 * idempotency records live there alone, so a Redis that evicts loses accepted jobs (I1): the platform does without it.
 */
import type { RedisConnection } from "./connect.ts";

export type RedisMemory = {
  readonly usedBytes: number;
  /** 0: Redis sets itself no limit. */
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
    // A server that speaks the protocol and names no policy has none to choose from.
    policy: fields.get("maxmemory_policy") ?? SAFE_POLICY,
  };
}

/** The sentence that says why this Redis is of no use; null when it keeps what it is given. */
export const evictionProblem = ({ policy }: RedisMemory): string | null =>
  policy === SAFE_POLICY
    ? null
    : `Redis evicts keys when its memory is full (maxmemory-policy ${policy}), so accepted jobs would be lost: set maxmemory-policy ${SAFE_POLICY}.`;

/** Throws for a Redis that evicts. On a connection that waits for Redis, so does this. */
export async function assertNoEviction(redis: RedisConnection): Promise<void> {
  const problem = evictionProblem(await readRedisMemory(redis));
  if (problem !== null) throw new Error(problem);
}
