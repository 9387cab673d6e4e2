/** The Redis connections of the API, one per role. */
import type { Releasers } from "@agent-paas/shared/lifecycle/releasers.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import { type InstallationClock, startRedisClock } from "@agent-paas/shared/redis/clock.ts";
import { connectRedis, isReadyWithin, type RedisConnection } from "@agent-paas/shared/redis/connect.ts";
import { createRedisKeys, type RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { assertUsable } from "@agent-paas/shared/redis/memory.ts";
import { upgradeRedis } from "@agent-paas/shared/redis/upgrade-redis.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import type { ApiConfig } from "../config.ts";

/** How long the start waits for Redis. After that the API starts without it and responds 503 to what needs it. */
const REDIS_WAIT_MS = 5 * SECOND;

export type RedisConnections = {
  readonly keys: RedisKeys;
  /** Accepts, cancels and deletes. */
  readonly requests: RedisConnection;
  /** Lists and polls jobs: what reads a lot must not delay the acceptance of a job. */
  readonly reads: RedisConnection;
  /** Event logs are read on a connection of their own, so that a long replay does not delay the acceptance of a job. */
  readonly logs: RedisConnection;
  readonly subscriber: RedisConnection;
  /** Waits for replicas; null if no job needs them. */
  readonly replicas: RedisConnection | null;
  /** Whether all of them are up. */
  isConnected(): boolean;
  readonly clock: InstallationClock;
};

export async function openRedis(
  config: ApiConfig,
  { name, logger }: { readonly name: string; readonly logger: Logger },
  releasers: Releasers,
): Promise<RedisConnections> {
  const keys = createRedisKeys(config.REDIS_PREFIX);
  const common = { topology: config.REDIS_URL, keys, logger };
  const requests = connectRedis({ ...common, role: "request", name });
  const reads = connectRedis({ ...common, role: "request", name: `${name}:reads` });
  const logs = connectRedis({ ...common, role: "request", name: `${name}:logs` });
  const subscriber = connectRedis({ ...common, role: "subscriber", name });
  const replicas =
    config.ACCEPT_MIN_REPLICAS === 0 ? null : connectRedis({ ...common, role: "request", name: `${name}:replicas` });
  const clock = startRedisClock(requests, logger);
  releasers.add("clock", () => clock.stop());
  const connections = [requests, reads, logs, subscriber, ...(replicas === null ? [] : [replicas])];
  for (const connection of connections) releasers.add("redis", () => connection.disconnect());
  const isUp = await Promise.all(connections.map((connection) => isReadyWithin(connection, REDIS_WAIT_MS)));
  if (isUp.includes(false)) logger.warn("started without Redis");
  else {
    // A Redis that evicts and appears after the start is refused by every POST and reported by health.
    await assertUsable(requests);
    await upgradeRedis(requests, keys, logger);
    await clock.read();
  }
  const isConnected = () => connections.every(({ status }) => status === "ready");
  return { keys, requests, reads, logs, subscriber, replicas, isConnected, clock };
}
