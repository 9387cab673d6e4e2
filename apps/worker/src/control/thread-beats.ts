/**
 * What the thread beside the main one does for its worker in Redis: the heartbeat, the renewal of its jobs' locks, and
 * the last word of a worker that ends.
 */
import type { WorkerRecord } from "@agent-paas/shared/contract/agents.ts";
import type { RedisConnection } from "@agent-paas/shared/redis/connect.ts";
import type { RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { type LockChanges, nameOf } from "../job/held-locks.ts";
import { createWorkerLocks, type JobLock } from "../job/worker-locks.ts";
import { BEAT_SCRIPT, GIVEN_UP } from "../presence/heartbeat-scripts.ts";

/** Ticks between two renewals: a quarter of what a lock lasts. */
const RENEW_EVERY = 5;
/** A main thread that misses one tick or two is only late. */
const BUSY_FROM = 3;

/** @param onLost receives the locks that a renewal has found lost, once each. */
export function createThreadBeats(redis: RedisConnection, keys: RedisKeys, onLost: (locks: JobLock[]) => void) {
  const sendBeat = BEAT_SCRIPT.on(redis);
  const locks = createWorkerLocks(redis, keys);
  const held = new Map<string, JobLock>();
  let record: WorkerRecord | null = null;
  let ticks = 0;
  let isSending = false;
  let isRenewing = false;
  let hasGivenUp = false;

  /** While Redis is away one command waits for it, not one per tick. */
  async function sendOnce(send: () => Promise<unknown>): Promise<void> {
    if (isSending) return;
    isSending = true;
    await send().catch(() => {});
    isSending = false;
  }

  function forget(ended: readonly JobLock[]): void {
    for (const lock of ended) if (held.get(nameOf(lock))?.token === lock.token) held.delete(nameOf(lock));
  }

  async function renewOnce(): Promise<void> {
    if (isRenewing || held.size === 0) return;
    isRenewing = true;
    const lost = await locks.renew([...held.values()]).catch(() => []);
    isRenewing = false;
    forget(lost);
    if (lost.length > 0) onLost(lost);
  }

  const giveUp = (known: WorkerRecord) => redis.hset(keys.workers, known.id, `${GIVEN_UP} ${JSON.stringify(known)}`);

  return {
    setRecord(next: WorkerRecord): void {
      record = next;
    },

    changeLocks({ begun, ended }: LockChanges): void {
      forget(ended);
      for (const lock of begun) held.set(nameOf(lock), lock);
    },

    /** `blocked`: for how many ticks the main thread has stood still. `giveUpFrom`: when its jobs go to others. */
    tick(blocked: number, giveUpFrom: number): void {
      const known = record;
      if (known === null) return;
      const hadGivenUp = hasGivenUp;
      hasGivenUp = blocked >= giveUpFrom;
      if (hasGivenUp) {
        if (!hadGivenUp) void giveUp(known).catch(() => {});
        return;
      }
      void sendOnce(async () => {
        const text = JSON.stringify({ ...known, busy: blocked >= BUSY_FROM });
        await sendBeat({ workers: keys.workers, worker_id: known.id, record: text });
      });
      ticks += 1;
      if (ticks % RENEW_EVERY === 0) void renewOnce();
    },

    /** The process ends: the others take over at once what it still holds. No further tick may follow. */
    async leave(): Promise<void> {
      const known = record;
      record = null;
      if (known === null) return;
      if ((await locks.count(known.locks)) > 0) await giveUp(known);
      else await redis.hdel(keys.workers, known.id);
    },
  };
}
