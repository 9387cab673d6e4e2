/**
 * One Redis connection per role, because a role decides what a command does while Redis is away:
 *
 * - `request`: an HTTP request waits for the answer. No offline queue, one try, a time limit: it fails within a second.
 * - `worker`: jobs and their events. Commands wait for Redis to come back; their callers bound the wait.
 * - `subscriber`: subscriptions only.
 */
import { Redis } from "ioredis";
import type { Logger } from "../logging/logger.ts";
import { SECOND } from "../time.ts";
import type { RedisTopology } from "./topology.ts";

/** A connection to Redis, whatever the topology behind it. */
export type RedisConnection = Redis;

export type RedisRole = "request" | "worker" | "subscriber";

const ROLE_OPTIONS = {
  request: { enableOfflineQueue: false, maxRetriesPerRequest: 1, commandTimeout: 900 },
  worker: { maxRetriesPerRequest: null },
  // The subscriber resubscribes itself, because it must know when the subscriptions are active.
  subscriber: { maxRetriesPerRequest: null, autoResubscribe: false },
} as const;

/** Commands that are sent in one turn of the event loop go out in one write: a system call costs more than most commands. */
class GatheringRedis extends Redis {
  override sendCommand(...args: Parameters<Redis["sendCommand"]>): unknown {
    const { stream } = this;
    if (stream?.writable && stream.writableCorked === 0) {
      stream.cork();
      process.nextTick(() => stream.uncork());
    }
    return super.sendCommand(...args);
  }
}

/** Opens a connection that reconnects for ever; the caller owns it and ends it with `disconnect()`. */
export function connectRedis({ url }: RedisTopology, role: RedisRole, name: string, logger: Logger): RedisConnection {
  const redis = new GatheringRedis(url, {
    ...ROLE_OPTIONS[role],
    connectionName: `${name}:${role}`,
    connectTimeout: 5 * SECOND,
    keepAlive: 10 * SECOND,
    enableReadyCheck: true,
    // After a failover behind one address the old primary still answers, and refuses to write.
    reconnectOnError: (error) => error.message.startsWith("READONLY"),
    retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 5), SECOND) + Math.random() * 200,
  });
  let away = false;
  redis.on("error", (error) => {
    if (!away) logger.warn({ role, err: error }, "Redis cannot be reached");
    away = true;
  });
  redis.on("ready", () => {
    if (away) logger.info({ role }, "Redis is back");
    away = false;
  });
  return redis;
}

/** A connection for a short-lived check: it is tried once, and its errors are the caller's to handle. */
export const connectOnce = ({ url }: RedisTopology): RedisConnection => new Redis(url, { retryStrategy: () => null });

/** True when the connection is up, false when it is not within the time. */
export async function isReadyWithin(redis: RedisConnection, ms: number): Promise<boolean> {
  if (redis.status === "ready") return true;
  return new Promise((resolve) => {
    const settle = () => {
      clearTimeout(timer);
      redis.off("ready", settle);
      resolve(redis.status === "ready");
    };
    const timer = setTimeout(settle, ms);
    redis.on("ready", settle);
  });
}
