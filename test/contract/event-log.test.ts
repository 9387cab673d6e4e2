/** Both event logs: the log in Redis, written by the worker's publisher, and the fake of unit tests. */
import { createRedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { inject, onTestFinished } from "vitest";
import { createEventLog } from "../../apps/api/src/events/event-log.ts";
import { type JobEventWriter, NO_SIGNALS } from "../../apps/worker/src/events/job-event-writer.ts";
import { openEventPublisher } from "../support/event-publisher.ts";
import { batchOf, createMemoryEventLog } from "../support/memory-events.ts";
import { openTestRedis } from "../support/redis.ts";
import { eventLogContract } from "./event-log-contract.ts";

eventLogContract("Redis", () => {
  const keys = createRedisKeys(`t${crypto.randomUUID().slice(0, 8)}`);
  const redis = openTestRedis(inject("redisUrl"), keys);
  const publisher = openEventPublisher(inject("redisUrl"), keys);
  const writers = new Map<string, JobEventWriter>();
  onTestFinished(async () => {
    for (const jobId of writers.keys()) await redis.del(keys.jobState(jobId), keys.eventLog(jobId));
    redis.disconnect();
  });
  return {
    log: createEventLog(redis, keys),
    async append(jobId, events) {
      const writer = writers.get(jobId) ?? publisher.openFirst(jobId, NO_SIGNALS);
      writers.set(jobId, writer);
      for (const event of events) writer.append(event);
      await writer.flushed();
    },
  };
});

eventLogContract("unit tests", () => {
  const log = createMemoryEventLog();
  return {
    log,
    append: async (jobId, events) => log.append(jobId, batchOf(log.lastSeq(jobId) + 1, events)),
  };
});
