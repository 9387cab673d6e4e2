/**
 * Turns to write to the vector store. Chroma indexes the writes of all its clients one after the other, goes on with a
 * request that its client has given up, and indexes anew what it has, when two writes of one collection meet. So few
 * writes are in flight, over all workers and never two of one collection; whoever waits longest is next. Within a
 * worker owners take turns, and an owner's documents do. A turn is one batch, so a large document delays a small one
 * by a batch.
 *
 * The turns are in Redis, each with an expiry that its holder renews: the turn of a dead worker is free again soon.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { newId } from "@agent-paas/shared/ids.ts";
import type { RedisConnection } from "@agent-paas/shared/redis/connect.ts";
import type { RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import { createFairQueue, type Turn } from "./fair-queue.ts";
import { createTurnLease, type TurnLease } from "./turn-lease.ts";

export type StoreTurns = {
  /**
   * Calls `write` when it is its turn. Rejects at once when `signal` aborts; the turn lasts until `write` has ended all
   * the same, because Chroma goes on with it. `write` must end in bounded time.
   */
  run<T>(turn: Turn, signal: AbortSignal, write: () => Promise<T>): Promise<T>;
};

/** Asks again for a turn after so many ms; the lease counts a worker as waiting for longer than that. */
const ASK_AGAIN_MS = 100;
/** After a write that failed, the worker's next one waits: the first of these, after a further one the next. */
const BACK_OFF_MS = [1, 2, 4, 8, 15].map((seconds) => seconds * SECOND);

/** Does not keep a process that stops. */
const pause = (ms: number) => sleep(ms, undefined, { ref: false });

export const createStoreTurns = (redis: RedisConnection, keys: RedisKeys): StoreTurns =>
  createTurns(createTurnLease(redis, keys, newId()));

/** For one process alone: one write at a time. */
export const createLocalTurns = (): StoreTurns => createTurns(LOCAL_LEASE);

const LOCAL_LEASE: TurnLease = {
  take: async ([first = null]) => first,
  renew: () => ({ stop: () => undefined }),
  release: async () => undefined,
};

function createTurns(lease: TurnLease): StoreTurns {
  const queue = createFairQueue();
  let failures = 0;
  let notBefore = 0;
  let isAsking = false;

  /** Runs while somebody waits; one write of this worker at a time. */
  async function serve(): Promise<void> {
    if (isAsking) return;
    isAsking = true;
    try {
      while (queue.size > 0) {
        await pause(Math.max(0, notBefore - performance.now()));
        // An outage of Redis is an outage of the jobs as well; whoever waits has a signal.
        const collectionId = await lease.take(queue.collections()).catch(() => null);
        if (collectionId === null) await pause(ASK_AGAIN_MS);
        else await serveNext(collectionId);
      }
    } finally {
      isAsking = false;
    }
  }

  async function serveNext(collectionId: string): Promise<void> {
    const renewing = lease.renew(collectionId);
    try {
      await queue.next(collectionId)?.serve();
      failures = 0;
    } catch (error) {
      if (!(error instanceof PlatformError) || error.code !== "vector_store_unavailable") return;
      notBefore = performance.now() + (BACK_OFF_MS[Math.min(failures, BACK_OFF_MS.length - 1)] ?? 0);
      failures += 1;
    } finally {
      renewing.stop();
      await lease.release(collectionId).catch(() => undefined);
    }
  }

  return {
    run<T>(turn: Turn, signal: AbortSignal, write: () => Promise<T>): Promise<T> {
      signal.throwIfAborted();
      return new Promise<T>((resolve, reject) => {
        const waiting = queue.add(turn, async () => {
          const written = write();
          written.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
          await written;
        });
        const stop = () => {
          waiting.remove();
          reject(signal.reason);
        };
        signal.addEventListener("abort", stop, { once: true });
        void serve();
      });
    },
  };
}
