/**
 * What the thread beside the main one does for its worker in Redis: the heartbeat, the locks of a busy worker, and the
 * last word of one that ends.
 */
import type { RedisConnection } from "@agent-paas/shared/redis/connect.ts";
import type { RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { createWorkerLocks } from "../job/worker-locks.ts";
import { BEAT_SCRIPT, GIVEN_UP } from "../presence/heartbeat-scripts.ts";
import type { BeatRecord } from "./thread-watch-protocol.ts";

/** Ticks between two renewals: a quarter of what a lock lasts. */
const RENEW_EVERY = 5;

export function createThreadBeats(redis: RedisConnection, keys: RedisKeys) {
  const sendBeat = BEAT_SCRIPT.on(redis);
  const locks = createWorkerLocks(redis, keys);
  let record: BeatRecord | null = null;
  let isSending = false;
  let hasGivenUp = false;

  /** While Redis is away one command waits for it, not one per tick. */
  async function sendOnce(send: () => Promise<unknown>): Promise<void> {
    if (isSending) return;
    isSending = true;
    await send().catch(() => {});
    isSending = false;
  }

  const giveUp = ({ id, text }: BeatRecord) => redis.hset(keys.workers, id, `${GIVEN_UP} ${text}`);

  return {
    setRecord(next: BeatRecord): void {
      record = next;
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
        const beat = sendBeat({ workers: keys.workers, worker_id: known.id, record: known.text });
        const isDue = blocked > 0 && blocked % RENEW_EVERY === 0;
        await Promise.all([beat, isDue ? locks.renew(known.locks) : null]);
      });
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
