/** A Redis Cluster refuses a call whose keys belong to different slots, so the publisher makes one call per shard. */
import { decodeEvents } from "@agent-paas/shared/contract/events.ts";
import { newId } from "@agent-paas/shared/ids.ts";
import { createRedisKeys, EVENT_SHARDS, shardOf } from "@agent-paas/shared/redis/keys.ts";
import { expect, onTestFinished, test } from "vitest";
import { openEventPublisher } from "../support/event-publisher.ts";
import { openTestRedis } from "../support/redis.ts";
import { startCluster } from "../support/redis-sets.ts";

test("events of many jobs reach their logs on a cluster", async () => {
  const { url, stop } = await startCluster();
  onTestFinished(stop);
  const keys = createRedisKeys("test");
  const redis = openTestRedis(url, keys);
  onTestFinished(() => redis.disconnect());
  const publisher = openEventPublisher(url, keys);
  const jobIds = Array.from({ length: 12 }, newId);
  expect(new Set(jobIds.map(shardOf)).size).toBeGreaterThan(1);
  expect(jobIds.every((jobId) => shardOf(jobId) < EVENT_SHARDS)).toBe(true);

  const refused = () => expect.unreachable();
  const writers = jobIds.map((jobId) => publisher.openFirst(jobId, { refused, cancelRequested: refused }));
  for (const content of ["one", "two"]) {
    for (const writer of writers) writer.append({ event: "message", data: { content, type: "text" } });
    await Promise.all(writers.map((writer) => writer.flushed()));
  }

  for (const jobId of jobIds) {
    const batches = await redis.xrangeBuffer(keys.eventLog(jobId), "-", "+");
    const events = batches.flatMap(([, fields]) => decodeEvents(fields[1] as Buffer));
    expect(events.map(({ seq, data }) => [seq, "content" in data && data.content])).toEqual([
      [1, "one"],
      [2, "two"],
    ]);
  }
});
