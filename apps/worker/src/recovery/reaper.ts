/**
 * The reaper: every worker looks now and then, one at a time, for what nobody owns any more (I1), also when there is nothing
 * else to do:
 *
 * - Jobs whose rows say that they run and that the queue does not have, or has as ended: Redis lost them, or somebody removed
 *   them. What the queue has as waiting or active is left alone: its own check for stalled jobs starts it over.
 * - Jobs that failed in the queue and whose end nobody ordered.
 * - The schedule of retention, which is in Redis too.
 *
 * Turns of jobs that do not exist need no look: they matter only while another job is parked behind them, and that one looks.
 * Two reapers at once do no harm: every end is fenced by its attempt (I4).
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import type { RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import type { Redis } from "ioredis";
import { WriterRefused } from "../events/job-event-writer.ts";
import type { Retention } from "../queue/retention.ts";
import type { OrphanedJobRepository, RunningJobRow } from "../storage/orphaned-job-repository.ts";
import type { FailedJobs } from "./failed-jobs.ts";
import type { OrphanFinalizer } from "./orphan-finalizer.ts";

/** Between two looks of one worker, give or take a fifth; the lock makes it about the same for all workers together. */
const LOOK_EVERY_MS = 5 * SECOND;
const LOCK_MS = 4 * SECOND;

/** Rows per read. */
const PAGE = 500;

export type ReaperDeps = {
  readonly redis: Redis;
  readonly keys: RedisKeys;
  readonly rows: OrphanedJobRepository;
  readonly unowned: OrphanFinalizer;
  readonly failedJobs: FailedJobs;
  readonly retention: Retention;
  readonly logger: Logger;
};

export function startReaper({ redis, keys, rows, unowned, failedJobs, retention, logger }: ReaperDeps): {
  stop(): void;
} {
  const stopped = new AbortController();
  const { signal } = stopped;

  async function isLost({ kind, id }: RunningJobRow): Promise<boolean> {
    const [addedAt, finishedAt] = await redis.hmget(keys.queuedJob(kind, id), "timestamp", "finishedOn");
    return addedAt === null || finishedAt !== null;
  }

  async function endLost(row: RunningJobRow): Promise<void> {
    try {
      if (await unowned.endLost(row)) logger.warn({ job_id: row.id }, "the queue had lost a running job; it was ended");
    } catch (error) {
      // Somebody claimed it in between, and ends it.
      if (!(error instanceof WriterRefused)) throw error;
    }
  }

  async function endLostJobs(): Promise<void> {
    for (let page: RunningJobRow[] | null = null; page === null || page.length === PAGE; ) {
      page = await rows.running(page?.at(-1)?.id ?? "", PAGE);
      const lost = await Promise.all(page.map(isLost));
      for (const row of page.filter((_, at) => lost[at])) await endLost(row);
    }
  }

  async function look(): Promise<void> {
    if ((await redis.set(keys.reaper, "1", "PX", LOCK_MS, "NX")) === null) return;
    await failedJobs.sweep();
    await endLostJobs();
    await retention.schedule();
  }

  async function keepLooking(): Promise<void> {
    while (!signal.aborted) {
      await look().catch((err: unknown) => {
        if (!signal.aborted) logger.warn({ err }, "the reaper could not look, and will look again");
      });
      const pauseMs = LOOK_EVERY_MS * (0.8 + 0.4 * Math.random());
      await delay(pauseMs, undefined, { signal }).catch(() => {});
    }
  }

  void keepLooking();
  return { stop: () => stopped.abort() };
}
