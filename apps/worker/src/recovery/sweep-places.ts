/**
 * Looks through the places and the owners' queues: entries whose job is gone or has ended are removed, and what is free
 * is given out. Crashes leave such entries: of a worker that ended a job and died before the hand-over.
 */
import { JOB_QUEUES } from "@agent-paas/shared/contract/jobs.ts";
import type { RedisConnection } from "@agent-paas/shared/redis/connect.ts";
import type { RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { placeValues, SWEEP_SCRIPT } from "@agent-paas/shared/redis/places.ts";

/** Members per call of the script. A queue holds about as many places as there are slots. */
const PAGE = 500;
/** A round looks at this many of the waiting entries, and the next one at those behind them. */
const WAITING_PER_ROUND = 1_000;

export type PlaceSweep = () => Promise<void>;

export function createPlaceSweep(redis: RedisConnection, keys: RedisKeys): PlaceSweep {
  const sweep = SWEEP_SCRIPT.on(redis);
  const nextWaiting = new Map<string, number>();

  return async () => {
    for (const queue of JOB_QUEUES) {
      const from = nextWaiting.get(queue) ?? 0;
      const waiting = await redis.zrange(keys.ownerQueues(queue), from, from + WAITING_PER_ROUND - 1);
      nextWaiting.set(queue, waiting.length < WAITING_PER_ROUND ? 0 : from + waiting.length);
      const members = [...(await redis.zrange(keys.places(queue), 0, -1)), ...waiting];
      for (let at = 0; at === 0 || at < members.length; at += PAGE) {
        const rest = members.slice(at, at + PAGE);
        await sweep({ ...placeValues(keys, queue, { owner: "", jobId: "" }), rest });
      }
    }
  };
}
