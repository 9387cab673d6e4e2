/**
 * The reaper: a loop in every worker, of which one runs at a time, that finalizes jobs which no worker and no queue has
 * any more (I1), also while nothing else happens:
 *
 * - Orphaned jobs: their rows say that they run, and their queue lacks them or has them as ended, because Redis lost
 *   them or somebody removed them. A job that its queue has as waiting or active is left to BullMQ's check for stalled
 *   jobs; one that stands in none of its queue's lists, because a failover has lost that it entered, enters again.
 * - Jobs that failed in the queue and whose finalization was not enqueued.
 * - Further sweeps that are passed in: suspended jobs that can go on, jobs that a wrong clock has delayed, entries of
 *   owner indexes, the schedule of retention, which Redis can lose too.
 *
 * Dangling session queue entries need no sweep: they block only a delayed job, which removes them when it re-checks.
 * Two reapers at once do no harm: every finalization is fenced (I4). What cannot be finalized hides nothing behind it.
 */
import { setTimeout as delay } from "node:timers/promises";
import { type JobQueue, queueOf } from "@agent-paas/shared/contract/jobs.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import { logRepeatedly } from "@agent-paas/shared/logging/repeated-warnings.ts";
import type { RedisConnection } from "@agent-paas/shared/redis/connect.ts";
import type { RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import { WriterRefused } from "../events/job-event-writer.ts";
import type { Places } from "../job/places.ts";
import type { OrphanedJobRepository, RunningJobRow } from "../storage/orphaned-job-repository.ts";
import type { FailedJobs } from "./failed-jobs.ts";
import type { OrphanFinalizer } from "./orphan-finalizer.ts";

/**
 * Between two passes of one worker, give or take a fifth; the lock makes it about the same for all workers together.
 */
const PASS_EVERY_MS = 5 * SECOND;
const LOCK_MS = 4 * SECOND;

/** Rows per read. */
const PAGE = 500;

export type ReaperDeps = {
  readonly redis: RedisConnection;
  readonly keys: RedisKeys;
  readonly rows: OrphanedJobRepository;
  readonly orphans: OrphanFinalizer;
  readonly places: Pick<Places, "rescue">;
  readonly failedJobs: Pick<FailedJobs, "sweep">;
  /** Promotes jobs that a wrong clock has delayed for too long. */
  readonly promoteLateJobs: () => Promise<void>;
  /** Lets suspended jobs go on, and brings back those that Redis has lost. */
  readonly sweepSuspended: () => Promise<void>;
  /** Removes entries of owner indexes that a crash has left. */
  readonly sweepOwnerIndexes: () => Promise<void>;
  /** Removes what crashes have left of places, and hands over what is free. */
  readonly sweepPlaces: () => Promise<void>;
  /** Restores the schedule of retention. */
  readonly restoreSchedule: () => Promise<void>;
  readonly logger: Logger;
};

export function startReaper(deps: ReaperDeps): { stop(): void } {
  const { redis, keys, rows, orphans, places, failedJobs, logger } = deps;
  const { promoteLateJobs, sweepSuspended, sweepOwnerIndexes, sweepPlaces, restoreSchedule } = deps;
  const stopped = new AbortController();
  const { signal } = stopped;

  const hasUnended = async (queue: JobQueue, id: string): Promise<boolean> => {
    const [addedAt, finishedAt] = await redis.hmget(keys.queuedJob(queue, id), "timestamp", "finishedOn");
    return addedAt !== null && finishedAt === null;
  };

  async function isOrphaned(row: RunningJobRow): Promise<boolean> {
    const queue = queueOf(row);
    if (await hasUnended(queue, row.id)) {
      const isRescued = await places.rescue({ ...row, job_id: row.id });
      if (isRescued) logger.warn({ job_id: row.id }, "job starts again: its queue had it in none of its lists");
      return false;
    }
    // System jobs that an earlier version accepted are in the queue of their kind.
    return queue === row.kind || !(await hasUnended(row.kind, row.id));
  }

  async function finalize(row: RunningJobRow): Promise<void> {
    try {
      if (await orphans.finalize(row)) logger.warn({ job_id: row.id }, "orphaned job finalized: its queue had lost it");
    } catch (err) {
      // Another process has claimed it in between, and finalizes it.
      if (err instanceof WriterRefused) return;
      logRepeatedly(logger, "warn", { err, job_id: row.id }, "an orphaned job could not be finalized");
    }
  }

  async function finalizeOrphans(): Promise<void> {
    for (let page: RunningJobRow[] | null = null; page === null || page.length === PAGE; ) {
      page = await rows.running(page?.at(-1)?.id ?? "", PAGE);
      const orphaned = await Promise.all(page.map(isOrphaned));
      for (const row of page.filter((_, at) => orphaned[at])) await finalize(row);
    }
  }

  async function pass(): Promise<void> {
    if ((await redis.set(keys.reaper, "1", "PX", LOCK_MS, "NX")) === null) return;
    // One that fails, as those fail that need the database while it is out, stops none of the others.
    for (const sweep of [
      promoteLateJobs,
      failedJobs.sweep,
      sweepSuspended,
      finalizeOrphans,
      sweepOwnerIndexes,
      sweepPlaces,
      restoreSchedule,
    ]) {
      await sweep().catch((err: unknown) => {
        if (!signal.aborted)
          logRepeatedly(logger, "warn", { err }, "a sweep of the reaper failed; the next one follows");
      });
    }
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      await pass().catch((err: unknown) => {
        if (!signal.aborted) logRepeatedly(logger, "warn", { err }, "reaper pass failed; the next one follows");
      });
      const pauseMs = PASS_EVERY_MS * (0.8 + 0.4 * Math.random());
      await delay(pauseMs, undefined, { signal }).catch(() => {});
    }
  }
  void run();
  return { stop: () => stopped.abort() };
}
