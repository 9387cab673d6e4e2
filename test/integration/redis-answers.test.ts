/** What requests to the API do with a Redis that answers late, and with one that does not answer. */
import { parseTopology } from "@agent-paas/shared/config/redis-topology.ts";
import { connectRedis } from "@agent-paas/shared/redis/connect.ts";
import { createRedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import { expect, onTestFinished, test } from "vitest";
import { startPrivateRedis } from "../support/redis.ts";
import { settledWithin, waitFor } from "../support/wait-for.ts";

const SILENT = { info: () => {}, warn: () => {} };
/** Keeps Redis busy for a number of milliseconds. */
const BUSY = `
  local function now() local time = redis.call('TIME') return time[1] * 1000 + time[2] / 1000 end
  local ends = now() + ARGV[1]
  while now() < ends do end
  return 'done'`;

async function open() {
  const server = await startPrivateRedis();
  const [topology, keys] = [parseTopology(server.url), createRedisKeys("test")];
  const redis = connectRedis({ topology, keys, role: "request", name: "test", logger: SILENT });
  onTestFinished(async () => {
    redis.disconnect();
    await server.stop();
  });
  await waitFor("a connection", () => redis.status === "ready");
  return redis;
}

/** Blocks the event loop, as the parsing of many requests does. */
function block(ms: number): void {
  const ends = performance.now() + ms;
  while (performance.now() < ends);
}

test("a process that is busy for seconds reads what Redis has answered meanwhile", async () => {
  const redis = await open();
  const answers = Array.from({ length: 100 }, () => redis.ping());
  block(2 * SECOND);
  expect(new Set(await Promise.all(answers))).toEqual(new Set(["PONG"]));
});

test("the last of a burst of commands waits for those before it", async () => {
  const redis = await open();
  // Of large ones, Redis reads and answers one after the other.
  const answers = Array.from({ length: 20 }, () => redis.eval(BUSY, 0, 100, "x".repeat(20_000)));
  expect(await Promise.all(answers)).toEqual(Array.from({ length: 20 }, () => "done"));
});

test("commands of a Redis that has stopped answering fail within two seconds, and the next after it are answered", async () => {
  const redis = await open();
  await redis.client("PAUSE", 3 * SECOND, "ALL");
  const late = expect(redis.ping()).rejects.toThrow(/has not answered/);
  await settledWithin("the failure", 2 * SECOND, late);
  await waitFor("an answer", () =>
    redis.ping().then(
      () => true,
      () => false,
    ),
  );
});
