/** The worker's Redis connections, one per role, and its queues. */
import { JOB_QUEUES, MAINTENANCE_QUEUE } from "@agent-paas/shared/contract/jobs.ts";
import type { Releasers } from "@agent-paas/shared/lifecycle/releasers.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import { logRepeatedly } from "@agent-paas/shared/logging/repeated-warnings.ts";
import { type InstallationClock, startRedisClock } from "@agent-paas/shared/redis/clock.ts";
import { connectRedis, type RedisConnection, type RedisRole } from "@agent-paas/shared/redis/connect.ts";
import { createRedisKeys, type RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { assertUsable } from "@agent-paas/shared/redis/memory.ts";
import { upgradeRedis } from "@agent-paas/shared/redis/upgrade-redis.ts";
import { Queue } from "bullmq";
import type { WorkerConfig } from "../config.ts";
import type { JobQueues } from "../job/job-queues.ts";

export type RedisParts = {
  readonly keys: RedisKeys;
  /** For BullMQ and everything else that is not an event. */
  readonly queueRedis: RedisConnection;
  /** For the states of jobs. */
  readonly eventRedis: RedisConnection;
  /** For the events of jobs. */
  readonly publisherRedis: RedisConnection;
  readonly subscriber: RedisConnection;
  readonly clock: InstallationClock;
  readonly queues: JobQueues;
  readonly maintenance: Queue;
};

/** Waits for Redis; throws for one that evicts keys. */
export async function openRedis(
  config: WorkerConfig,
  name: string,
  logger: Logger,
  releasers: Releasers,
): Promise<RedisParts> {
  const keys = createRedisKeys(config.REDIS_PREFIX);
  const connect = (role: Exclude<RedisRole, "request">, connectionName: string) => {
    const redis = connectRedis({ topology: config.REDIS_URL, keys, role, name: connectionName, logger });
    releasers.add("redis", () => redis.disconnect());
    return redis;
  };
  const queueRedis = connect("worker", name);
  const eventRedis = connect("worker", `${name}:events`);
  const publisherRedis = connect("publisher", name);
  const subscriber = connect("subscriber", name);
  await assertUsable(queueRedis);
  await upgradeRedis(queueRedis, keys, logger);
  const clock = startRedisClock(queueRedis, logger);
  releasers.add("clock", () => clock.stop());
  await clock.read();

  const openQueue = (queueName: string): Queue => {
    // The API writes the settings of the queues; workers only read from them and add to them.
    const queue = new Queue(queueName, { connection: queueRedis, prefix: keys.bullmq, skipMetasUpdate: true });
    queue.on("error", (err) => logRepeatedly(logger, "warn", { err, queue: queueName }, "queue error"));
    releasers.add("queue", () => queue.close());
    return queue;
  };
  const queues = Object.fromEntries(JOB_QUEUES.map((name) => [name, openQueue(name)])) as JobQueues;
  const connections = { queueRedis, eventRedis, publisherRedis, subscriber };
  return { keys, ...connections, clock, queues, maintenance: openQueue(MAINTENANCE_QUEUE) };
}
