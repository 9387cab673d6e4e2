/**
 * I9 for what does not expire by itself: the queues' finished jobs, rows of jobs and sessions. Runs as a job of the
 * `maintenance` queue on a schedule, one for all workers. Each write is a bounded batch with a pause behind it, so nobody
 * waits long for the database; what a run does not come to is the next one's.
 */
import { setTimeout as delay } from "node:timers/promises";
import { FAILED_JOB_TTL_SECONDS, type MaintenancePayload } from "@agent-paas/shared/contract/jobs.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import { DAY, HOUR, SECOND } from "@agent-paas/shared/time.ts";
import type { Queue } from "bullmq";
import type { JobClaims } from "../job/job-claims.ts";
import type { JobQueues } from "../job/job-queues.ts";
import type { SessionQueue } from "../job/session-queue.ts";
import type { JobRef, RetentionRepository, SessionRef } from "../storage/retention-repository.ts";

/** 500 jobs with ten steps each held the database for 50 ms, and 160 at worst. */
const BATCH_ROWS = 200;
/** Batches of one kind in one run. */
const MAX_BATCHES = 250;
/** Of one queue and state in one run, in one call: about as many as they keep. */
const MAX_CLEANED = 1_000;
/** Lets other writers in. */
const PAUSE_MS = 20;

/** How long searches are kept. */
const QUERY_TTL_MS = HOUR;

const PAYLOAD: MaintenancePayload = { action: "apply_retention" };

export type RetentionDeps = {
  readonly queues: JobQueues;
  readonly maintenance: Queue;
  readonly rows: RetentionRepository;
  readonly claims: JobClaims;
  readonly sessionQueue: SessionQueue;
  /** How long ended jobs outside any session are kept, days; 0: for ever. */
  readonly jobDays: number;
  /** How long untouched sessions are kept, days; 0: for ever. */
  readonly sessionDays: number;
  readonly intervalSeconds: number;
  readonly logger: Logger;
};

export type Retention = ReturnType<typeof createRetention>;

export function createRetention(deps: RetentionDeps) {
  const { queues, maintenance, rows, claims, sessionQueue, jobDays, sessionDays, logger } = deps;
  const everyMs = deps.intervalSeconds * SECOND;

  /** The queues drop jobs that have failed only when others do. */
  async function cleanQueues(): Promise<number> {
    let cleaned = 0;
    for (const queue of [...Object.values(queues), maintenance]) {
      cleaned += (await queue.clean(FAILED_JOB_TTL_SECONDS * SECOND, MAX_CLEANED, "failed")).length;
    }
    return cleaned;
  }

  /** First what Redis has of them: a job without a row is looked for there. */
  async function drop(jobs: readonly JobRef[]): Promise<void> {
    await Promise.all(jobs.flatMap(({ id, kind }) => [queues[kind].remove(id), claims.forget(id)]));
    await rows.deleteJobs(jobs);
  }

  async function dropJobs(find: (limit: number) => Promise<JobRef[]>): Promise<number> {
    let dropped = 0;
    for (let batch = 0; batch < MAX_BATCHES; batch++) {
      const found = await find(BATCH_ROWS);
      if (found.length > 0) await drop(found);
      dropped += found.length;
      if (found.length < BATCH_ROWS) break;
      await delay(PAUSE_MS);
    }
    return dropped;
  }

  /** Closes the session first: a job that is accepted before stays, and none is accepted behind. */
  async function dropSession(session: SessionRef, before: Date): Promise<boolean> {
    if (!(await sessionQueue.close(session.id))) return false;
    if (!(await rows.isUntouched(session, before))) {
      await sessionQueue.reopen(session.id);
      return false;
    }
    await dropJobs((limit) => rows.jobsOfSession(session, limit));
    return rows.deleteSession(session, before);
  }

  async function dropSessions(before: Date): Promise<number> {
    let dropped = 0;
    for (const session of await rows.untouchedSessions(before, BATCH_ROWS)) {
      if (await dropSession(session, before)) dropped += 1;
      await delay(PAUSE_MS);
    }
    return dropped;
  }

  return {
    async apply(): Promise<void> {
      const ago = (ms: number) => new Date(Date.now() - ms);
      const dropped = {
        queued: await cleanQueues(),
        queries: await dropJobs((limit) => rows.queries(ago(QUERY_TTL_MS), limit)),
        jobs: jobDays === 0 ? 0 : await dropJobs((limit) => rows.jobsOutsideSessions(ago(jobDays * DAY), limit)),
        sessions: sessionDays === 0 ? 0 : await dropSessions(ago(sessionDays * DAY)),
      };
      if (Object.values(dropped).some((count) => count > 0)) logger.info(dropped, "what was too old was dropped");
    },

    /** Sees to it that the queue has the schedule. */
    async schedule(): Promise<void> {
      const known = await maintenance.getJobScheduler(PAYLOAD.action);
      if (known?.every === everyMs) return;
      const opts = { removeOnComplete: true, removeOnFail: { age: FAILED_JOB_TTL_SECONDS } };
      await maintenance.upsertJobScheduler(
        PAYLOAD.action,
        { every: everyMs },
        { name: PAYLOAD.action, data: PAYLOAD, opts },
      );
    },
  };
}
