/** The turns in which workers write to the vector store, on a real Redis. Each `createStoreTurns` is one worker. */
import { randomUUID } from "node:crypto";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { createRedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { expect, inject, onTestFinished, test } from "vitest";
import { createStoreTurns } from "../../apps/worker/src/knowledge/store-turns.ts";
import { createTurnLease } from "../../apps/worker/src/knowledge/turn-lease.ts";
import { openTestRedis } from "../support/redis.ts";
import { waitFor } from "../support/wait-for.ts";

const { signal } = new AbortController();

function openWorkers(count: number) {
  const keys = createRedisKeys(`t${randomUUID().slice(0, 8)}`);
  const redis = openTestRedis(inject("redisUrl"), keys);
  const connections = [redis, ...Array.from({ length: count - 1 }, () => openTestRedis(inject("redisUrl"), keys))];
  onTestFinished(() => {
    for (const connection of connections) connection.disconnect();
  });
  return { keys, redis, workers: connections.map((redis) => createStoreTurns(redis, keys)) };
}

/** Writes that a test ends; `running` are those under way. */
function heldWrites() {
  const running = new Map<string, () => void>();
  const begun: string[] = [];
  const write = (name: string) => () => {
    begun.push(name);
    return new Promise<string>((resolve) => {
      running.set(name, () => {
        running.delete(name);
        resolve(name);
      });
    });
  };
  return { running, begun, write };
}

test("two batches at most are written at once over all workers, and never two of one collection", async () => {
  const { workers } = openWorkers(4);
  const { running, begun, write } = heldWrites();
  const names = ["a0", "a1", "b2", "c3"];
  const all = workers.map((worker, at) => {
    const name = names[at] ?? "";
    return worker.run({ owner: `o${at}`, collectionId: name.charAt(0) }, signal, write(name));
  });
  const isA = (name: string) => name.startsWith("a");
  // Whichever worker asks first: with one write of "a" under way, nothing may be left but the other one.
  const mayBegin = () => names.some((name) => !begun.includes(name) && !(isA(name) && [...running.keys()].some(isA)));
  while (begun.length < 4) {
    await waitFor("a write", () => running.size > 0);
    expect(running.size).toBeLessThanOrEqual(2);
    expect(running.has("a0") && running.has("a1")).toBe(false);
    // The oldest first.
    running.values().next().value?.();
    await waitFor("the next write", () => running.size === 2 || !mayBegin());
  }
  for (const end of running.values()) end();
  expect((await Promise.all(all)).toSorted()).toEqual(names);
});

test("a worker with many batches does not pass over a worker that has waited longer", async () => {
  const { workers, redis, keys } = openWorkers(3);
  const hasAsked = Promise.withResolvers<void>();
  const order: string[] = [];
  const large = workers.slice(0, 2).map(async (worker, at) => {
    for (let batch = 0; batch < 6; batch += 1) {
      await worker.run({ owner: "large", collectionId: `large${at}` }, signal, async () => {
        order.push("large");
        await hasAsked.promise;
      });
    }
  });
  await waitFor("the large ones to write", () => order.length > 1);
  const small = workers[2]?.run({ owner: "small", collectionId: "small" }, signal, async () => {
    order.push("small");
  });
  await waitFor("the small one to ask", async () => (await redis.hlen(keys.storeTurnsWaiting)) > 0);
  hasAsked.resolve();
  await Promise.all([...large, small]);
  expect(order.indexOf("small")).toBeLessThan(order.length - 1);
});

test("a job that is cancelled stops waiting at once, and its write keeps the turn until the store has answered", async () => {
  const { workers } = openWorkers(2);
  const { running, begun, write } = heldWrites();
  const stop = new AbortController();
  const turn = { owner: "alice", collectionId: "a" };
  const cancelled = workers[0]?.run(turn, stop.signal, write("cancelled"));
  await waitFor("the write", () => running.has("cancelled"));
  const waiting = workers[0]?.run(turn, stop.signal, write("waiting"));
  const next = workers[1]?.run(turn, signal, write("next"));
  const reason = new Error("cancelled");
  stop.abort(reason);
  await expect(cancelled).rejects.toBe(reason);
  await expect(waiting).rejects.toBe(reason);
  expect(begun).toEqual(["cancelled"]);
  running.get("cancelled")?.();
  await waitFor("the next write", () => running.has("next"));
  running.get("next")?.();
  expect(await next).toBe("next");
  expect(begun).toEqual(["cancelled", "next"]);
});

test("the turn of a worker that died is free when its expiry has come", async () => {
  const { workers, redis, keys } = openWorkers(1);
  const dead = createTurnLease(redis, keys, "dead", 500);
  expect(await dead.take(["a"])).toBe("a");
  expect(await createTurnLease(redis, keys, "other").take(["a"])).toBeNull();
  expect(await workers[0]?.run({ owner: "alice", collectionId: "a" }, signal, async () => "stored")).toBe("stored");
  await waitFor("no turn to be left", async () => !(await redis.exists(keys.storeTurns)));
});

test("after a write that found the store unavailable, a worker waits before its next one", async () => {
  const { workers } = openWorkers(2);
  const turn = { owner: "alice", collectionId: "a" };
  const failed = workers[0]?.run(turn, signal, async () => {
    throw new PlatformError("vector_store_unavailable");
  });
  await expect(failed).rejects.toMatchObject({ code: "vector_store_unavailable" });
  const order: string[] = [];
  await Promise.all([
    workers[0]?.run(turn, signal, async () => order.push("the worker whose write failed")),
    workers[1]?.run(turn, signal, async () => order.push("another one, which asked later")),
  ]);
  expect(order).toEqual(["another one, which asked later", "the worker whose write failed"]);
});
