import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { expect, onTestFinished, test } from "vitest";
import { startPrivateRedis } from "../../test/support/redis.ts";
import { cacheDirOf, locateRedis } from "./redis-binary.ts";
import { startRedis } from "./redis-server.ts";

const CACHE = join(import.meta.dirname, "../../data/cache");

async function redisAndClient() {
  const server = await startPrivateRedis();
  onTestFinished(() => server.stop());
  const client = new Redis(server.url, { retryStrategy: () => 20, maxRetriesPerRequest: null });
  client.on("error", () => {});
  onTestFinished(() => client.disconnect());
  return { server, client };
}

test("a killed Redis returns on the same port with every write it had answered", async () => {
  const { server, client } = await redisAndClient();
  const { pid, port } = server;
  await client.set("key", "value");
  await server.kill();
  await server.start();
  expect(server.port).toBe(port);
  expect(server.pid).not.toBe(pid);
  expect(await client.get("key")).toBe("value");
});

test("the embedded Redis evicts nothing, appends every write to its file and listens on loopback", async () => {
  const { client } = await redisAndClient();
  const settings = await client.config("GET", "append*", "maxmemory-policy", "save", "bind");
  expect(settings).toEqual(
    expect.arrayContaining(["appendonly", "yes", "appendfsync", "everysec", "noeviction", "bind", "127.0.0.1"]),
  );
});

test("the embedded Redis refuses clients without the password", async () => {
  const { server } = await redisAndClient();
  const intruder = new Redis(server.port, { retryStrategy: null, lazyConnect: true });
  intruder.on("error", () => {});
  onTestFinished(() => intruder.disconnect());
  await expect(intruder.get("key")).rejects.toThrow("NOAUTH");
});

test("a paused Redis answers again after it was resumed", async () => {
  const { server, client } = await redisAndClient();
  server.pause();
  const answer = client.ping();
  server.resume();
  expect(await answer).toBe("PONG");
});

test("an embedded Redis with a limit of memory refuses writes at it, and takes them again when there is room", async () => {
  const dir = await mkdtemp(join(tmpdir(), "agent-paas-redis-"));
  const binary = await locateRedis({ env: process.env, cacheDir: await cacheDirOf(process.env, CACHE) });
  const server = await startRedis({ binary, dir, maxMemoryBytes: 16 * 1_048_576 });
  onTestFinished(async () => {
    await server.stop();
    await rm(dir, { recursive: true, force: true });
  });
  const client = new Redis(server.url);
  onTestFinished(() => client.disconnect());
  const fill = async () => {
    for (let at = 0; at < 40; at++) await client.set(`key-${at}`, "x".repeat(1_000_000));
  };
  await expect(fill()).rejects.toThrow("OOM command not allowed");
  expect(await client.exists("key-0")).toBe(1);
  await client.del(...Array.from({ length: 40 }, (_, at) => `key-${at}`));
  expect(await client.set("key", "value")).toBe("OK");
});
