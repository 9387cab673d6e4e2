/** A publisher of events as the worker has it, on a connection of the same role. */

import { parseTopology } from "@agent-paas/shared/config/redis-topology.ts";
import { connectRedis } from "@agent-paas/shared/redis/connect.ts";
import type { RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { pino } from "pino";
import { onTestFinished } from "vitest";
import { createJobEventPublisher, type JobEventPublisher } from "../../apps/worker/src/events/job-event-publisher.ts";

const LOG_TTL_S = 60;

/** Closed at the end of the test. */
export function openEventPublisher(url: string, keys: RedisKeys): JobEventPublisher {
  const logger = pino({ enabled: false });
  const redis = connectRedis({ topology: parseTopology(url), keys, role: "publisher", name: "test", logger });
  const publisher = createJobEventPublisher({ redis, keys, logTtlSeconds: LOG_TTL_S, logger });
  onTestFinished(() => {
    publisher.close();
    redis.disconnect();
  });
  return publisher;
}
