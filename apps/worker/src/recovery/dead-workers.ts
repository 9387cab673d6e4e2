/**
 * Takes over the jobs of dead workers, seconds after the last heartbeat and long before their locks expire (I1). Every
 * worker looks with each heartbeat of its own. Several may find the same one dead: a lock is taken away once, and
 * BullMQ's own check moves a job once. A worker that was not dead finds its locks lost, and the fence refuses what its
 * runs still write (I4).
 */
import { type WorkerRecord, WorkerRecordSchema } from "@agent-paas/shared/contract/agents.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import { logRepeatedly } from "@agent-paas/shared/logging/repeated-warnings.ts";
import type { RedisConnection } from "@agent-paas/shared/redis/connect.ts";
import type { RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { createWorkerLocks, type LockedQueue, queuesOf } from "../job/worker-locks.ts";
import { DECLARE_DEAD_SCRIPT, FORGET_SCRIPT, GIVEN_UP } from "../presence/heartbeat-scripts.ts";
import type { Heartbeats } from "../presence/worker-presence.ts";
import { createSilenceJudge } from "./silence-judge.ts";

export type DeadWorkersDeps = {
  readonly redis: RedisConnection;
  readonly keys: RedisKeys;
  /** Has the queue's jobs without lock start again. */
  readonly restartStalled: (queue: LockedQueue) => Promise<void>;
  readonly logger: Logger;
};

export type DeadWorkers = ReturnType<typeof createDeadWorkers>;

export function createDeadWorkers({ redis, keys, restartStalled, logger }: DeadWorkersDeps) {
  const declareDead = DECLARE_DEAD_SCRIPT.on(redis);
  const forget = FORGET_SCRIPT.on(redis);
  const locks = createWorkerLocks(redis, keys);
  const judge = createSilenceJudge();
  const underWay = new Set<string>();

  async function takeOver(id: string, beat: string): Promise<void> {
    const text = await declareDead({ workers: keys.workers, slots: keys.slots, worker_id: id, beat });
    const record = text === null ? null : readRecord(text);
    if (record === null) return;
    let jobs = 0;
    for (const [queue, holder] of queuesOf(record.locks)) {
      const released = await locks.release(queue, holder, id, GIVEN_UP);
      if (released === null) return;
      if (released > 0) await restartStalled(queue);
      jobs += released;
    }
    await forget({ workers: keys.workers, worker_id: id });
    const level = jobs > 0 ? "warn" : "info";
    logger[level]({ worker: id, jobs, gave_up: beat === GIVEN_UP }, "a worker is gone; its jobs were taken over");
  }

  return {
    /** Looks at the heartbeats of all workers; `askedAt` by the monotonic clock. Never throws. */
    async look(heartbeats: Heartbeats, askedAt: number): Promise<void> {
      for (const id of judge.look(heartbeats, askedAt, performance.now())) {
        if (underWay.has(id)) continue;
        underWay.add(id);
        await takeOver(id, heartbeats.get(id) ?? "")
          .catch((err: unknown) => logRepeatedly(logger, "warn", { err, worker: id }, "no takeover from a dead worker"))
          .finally(() => underWay.delete(id));
      }
    },
  };
}

/** Null: of a version that says nothing of its locks; its jobs start again when these expire. */
function readRecord(text: string): WorkerRecord | null {
  const known = WorkerRecordSchema.safeParse(JSON.parse(text));
  return known.success ? known.data : null;
}
