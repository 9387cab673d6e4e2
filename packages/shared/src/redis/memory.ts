/**
 * The memory of Redis, and the check that Redis evicts no keys. Queues, event logs and idempotency records exist only
 * in Redis, so an eviction would lose accepted jobs (I1). The data comes from INFO, because managed services refuse
 * CONFIG.
 */
import { SECOND } from "../time.ts";
import { connectionsOf, connectTo, isSharded, type RedisConnection } from "./connect.ts";

/** Of the server that has the least room. */
export type RedisMemory = {
  readonly usedBytes: number;
  /** 0: no limit is set. */
  readonly maxBytes: number;
  readonly policy: string;
};

const SAFE_POLICY = "noeviction";

/** How long a replica may take to say how it is set up. */
const REPLICA_WITHIN_MS = 2 * SECOND;

/** The fullest of the servers that have the platform's keys, and the policy of one that evicts if there is one. */
export async function readRedisMemory(redis: RedisConnection): Promise<RedisMemory> {
  return worstOf(await Promise.all(connectionsOf(redis).map(readMemoryOf)));
}

async function readMemoryOf(server: RedisConnection): Promise<RedisMemory> {
  const fields = fieldsOf(await server.info("memory"));
  return {
    usedBytes: Number(fields.get("used_memory") ?? 0),
    maxBytes: Number(fields.get("maxmemory") ?? 0),
    // Compatible servers that report no policy do not evict keys.
    policy: fields.get("maxmemory_policy") ?? SAFE_POLICY,
  };
}

const fieldsOf = (info: string): ReadonlyMap<string, string> =>
  new Map(info.split("\n").map((line) => line.trim().split(":", 2) as [string, string]));

/** How full it is; 0 without a limit. */
export const memoryUsage = ({ usedBytes, maxBytes }: RedisMemory): number =>
  maxBytes === 0 ? 0 : usedBytes / maxBytes;

function worstOf(all: readonly RedisMemory[]): RedisMemory {
  const fullest = all.reduce((worst, one) => (memoryUsage(one) > memoryUsage(worst) ? one : worst));
  const evicting = all.find((one) => evictionProblem(one) !== null);
  return { ...fullest, policy: (evicting ?? fullest).policy };
}

/**
 * Those replicas that can be reached from here: each may become the one that has the keys. The addresses are those that
 * they have told the server.
 */
async function readMemoryOfReplicas(server: RedisConnection): Promise<RedisMemory[]> {
  const replicas = [...fieldsOf(await server.info("replication"))].flatMap(([name, value]) => {
    const { ip: host, port } = Object.fromEntries(value?.split(",").map((one) => one.split("=")) ?? []);
    return name.startsWith("slave") && host !== undefined ? [{ host: String(host), port: Number(port) }] : [];
  });
  const found = await Promise.allSettled(
    replicas.map(async (address) => {
      const replica = connectTo(server, address, REPLICA_WITHIN_MS);
      return await readMemoryOf(replica).finally(() => replica.disconnect());
    }),
  );
  return found.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
}

/** The reason why this Redis cannot be used, as a sentence for operators; null if it evicts no keys. */
export const evictionProblem = ({ policy }: RedisMemory): string | null =>
  policy === SAFE_POLICY
    ? null
    : `Redis evicts keys when its memory is full (maxmemory-policy ${policy}), so accepted jobs would be lost: set maxmemory-policy ${SAFE_POLICY}.`;

/**
 * Throws for a Redis that cannot be used: a server evicts keys, replicas included, or it is a node of a cluster that
 * `REDIS_URL` does not call one. On a connection of the role `worker` it waits until Redis can be reached.
 */
export async function assertUsable(redis: RedisConnection): Promise<void> {
  if (!isSharded(redis) && fieldsOf(await redis.info("cluster")).get("cluster_enabled") === "1") {
    throw new Error(
      "Redis is a node of a cluster: name the cluster in REDIS_URL, as redis+cluster://host:port,host:port.",
    );
  }
  const replicas = await Promise.all(connectionsOf(redis).map(readMemoryOfReplicas));
  const problem = evictionProblem(worstOf([await readRedisMemory(redis), ...replicas.flat()]));
  if (problem !== null) throw new Error(problem);
}
