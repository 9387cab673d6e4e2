/**
 * Retention (I9): deletes old data that does not expire by itself, namely failed jobs in queues and the rows of jobs
 * and sessions. It is a maintenance action with one schedule for all workers. It deletes in small batches with
 * pauses, so that no other writer waits long for the database. What one round leaves is deleted by the next.
 */
import { setTimeout as delay } from "node:timers/promises";
import { FAILED_JOB_TTL_SECONDS, type MaintenancePayload, queueOf } from "@agent-paas/shared/contract/jobs.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import { DAY, HOUR, SECOND } from "@agent-paas/shared/time.ts";
import type { Queue } from "bullmq";
import type { JobClaims } from "../job/job-claims.ts";
import type { JobQueues } from "../job/job-queues.ts";
import type { SessionQueue } from "../job/session-queue.ts";
import type { JobRef, RetentionRepository, SessionRef } from "../storage/retention-repository.ts";

/** Measured: deleting 500 jobs with ten journal entries each held the database for 50 ms, at worst 160 ms. */
const BATCH_ROWS = 200;
/** The most batches of one kind in one round. */
const MAX_BATCHES = 250;
/** The most batches of sessions, which are deleted one by one, in one round. */
const MAX_SESSION_BATCHES = 5;
/** The most failed jobs that one round removes from one queue. A queue keeps about as many. */
const MAX_CLEANED = 1_000;
/** The pause after each batch, in which other writers can write, ms. */
const PAUSE_MS = 20;

/** How long knowledge queries are kept. */
const QUERY_TTL_MS = HOUR;

const PAYLOAD: MaintenancePayload = { action: "apply_retention" };

export type RetentionDeps = {
  readonly queues: JobQueues;
  readonly maintenance: Queue;
  readonly rows: RetentionRepository;
  readonly claims: JobClaims;
  readonly sessionQueue: SessionQueue;
  /** How long ended jobs outside any session are kept, and sessions of one job, unused, days. 0: for ever. */
  readonly jobDays: number;
  /** How long unused sessions are kept, days. 0: for ever. */
  readonly sessionDays: number;
  readonly intervalSeconds: number;
  readonly logger: Logger;
};

const ago = (ms: number): Date => new Date(Date.now() - ms);

export type Retention = ReturnType<typeof createRetention>;

export function createRetention(deps: RetentionDeps) {
  const { queues, maintenance, rows, claims, sessionQueue, jobDays, sessionDays, logger } = deps;
  const everyMs = deps.intervalSeconds * SECOND;

  /** BullMQ removes old failed jobs only when another job fails, so a quiet queue would keep them. */
  async function cleanQueues(): Promise<number> {
    let cleaned = 0;
    for (const queue of [...Object.values(queues), maintenance]) {
      cleaned += (await queue.clean(FAILED_JOB_TTL_SECONDS * SECOND, MAX_CLEANED, "failed")).length;
    }
    return cleaned;
  }

  /** Deletes from Redis first, because the API looks for a job without a row in Redis and would find it again. */
  async function deleteJobs(jobs: readonly JobRef[]): Promise<void> {
    await Promise.all(jobs.flatMap((job) => [queues[queueOf(job)].remove(job.id), claims.forget(job.id)]));
    await rows.deleteJobs(jobs);
  }

  async function deleteInBatches(find: (limit: number) => Promise<JobRef[]>): Promise<number> {
    let deleted = 0;
    for (let batch = 0; batch < MAX_BATCHES; batch++) {
      const found = await find(BATCH_ROWS);
      if (found.length > 0) await deleteJobs(found);
      deleted += found.length;
      if (found.length < BATCH_ROWS) break;
      await delay(PAUSE_MS);
    }
    return deleted;
  }

  /** Closes the session first, so that no job is accepted any more. A session that was used meanwhile stays. */
  async function deleteSession(session: SessionRef, before: Date): Promise<boolean> {
    if (!(await sessionQueue.close(session.id))) return false;
    if (!(await rows.isUntouched(session, before))) {
      await sessionQueue.reopen(session.id);
      return false;
    }
    await deleteInBatches((limit) => rows.jobsOfSession(session, limit));
    return rows.deleteSession(session, before);
  }

  async function deleteSessions(days: number, find: RetentionRepository["untouchedSessions"]): Promise<number> {
    if (days === 0) return 0;
    const before = ago(days * DAY);
    let deleted = 0;
    for (let batch = 0; batch < MAX_SESSION_BATCHES; batch++) {
      const found = await find(before, BATCH_ROWS);
      const deletedBefore = deleted;
      for (const session of found) {
        if (await deleteSession(session, before)) deleted += 1;
        await delay(PAUSE_MS);
      }
      // Those that stay are found again.
      if (found.length < BATCH_ROWS || deleted === deletedBefore) break;
    }
    return deleted;
  }

  return {
    async apply(): Promise<void> {
      const deleted = {
        queued: await cleanQueues(),
        queries: await deleteInBatches((limit) => rows.queries(ago(QUERY_TTL_MS), limit)),
        jobs: jobDays === 0 ? 0 : await deleteInBatches((limit) => rows.jobsOutsideSessions(ago(jobDays * DAY), limit)),
        sessionsOfJobs: await deleteSessions(jobDays, rows.untouchedSessionsOfJobs),
        sessions: await deleteSessions(sessionDays, rows.untouchedSessions),
      };
      if (Object.values(deleted).some((count) => count > 0)) logger.info(deleted, "retention deleted old data");
    },

    /** Writes the schedule to the `maintenance` queue, unless it is there already. */
    async schedule(): Promise<void> {
      const known = await maintenance.getJobScheduler(PAYLOAD.action);
      // Version 0.1.0 left a schedule whose payload has another form.
      if (known?.every === everyMs && known.template?.data?.action === PAYLOAD.action) return;
      const opts = { removeOnComplete: true, removeOnFail: { age: FAILED_JOB_TTL_SECONDS } };
      await maintenance.upsertJobScheduler(
        PAYLOAD.action,
        { every: everyMs },
        { name: PAYLOAD.action, data: PAYLOAD, opts },
      );
    },
  };
}
