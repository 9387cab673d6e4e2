/**
 * A Redis Cluster refuses a call whose keys belong to different slots. The publisher sends the batches of all jobs in
 * one call until it is refused, then one call per shard; no event is lost by the refusal.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeEvents } from "@agent-paas/shared/contract/events.ts";
import { newId } from "@agent-paas/shared/ids.ts";
import { createRedisKeys, EVENT_SHARDS, shardOf } from "@agent-paas/shared/redis/keys.ts";
import { Redis } from "ioredis";
import { expect, onTestFinished, test } from "vitest";
import { freePort } from "../../scripts/services/ports.ts";
import { cacheDirOf, locateRedis } from "../../scripts/services/redis-binary.ts";
import { planRedis } from "../../scripts/services/redis-server.ts";
import { startServer } from "../../scripts/services/server.ts";
import { openEventPublisher } from "../support/event-publisher.ts";
import { waitFor } from "../support/wait-for.ts";

/** A cluster of one node, which refuses keys of different slots like any other. */
async function startCluster() {
  const cacheDir = await cacheDirOf(process.env, join(import.meta.dirname, "../../data/cache"));
  const dir = await mkdtemp(join(tmpdir(), "agent-paas-cluster-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const plan = await planRedis({ binary: await locateRedis({ env: process.env, cacheDir }), dir });
  const input = `${plan.spec.input}\ncluster-enabled yes\ncluster-port ${await freePort()}\n`;
  const server = await startServer(plan, { ...plan.spec, input });
  onTestFinished(() => server.stop());
  const redis = new Redis(server.url, { maxRetriesPerRequest: null });
  onTestFinished(() => redis.disconnect());
  await redis.call("CLUSTER", "ADDSLOTSRANGE", "0", "16383");
  await waitFor("the cluster", async () => (await redis.cluster("INFO")).includes("cluster_state:ok"));
  return { redis, url: server.url };
}

test("events of many jobs reach their logs on a cluster", async () => {
  const { redis, url } = await startCluster();
  const keys = createRedisKeys("test");
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
