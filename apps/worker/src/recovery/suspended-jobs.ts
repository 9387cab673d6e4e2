/**
 * The reaper's sweep of suspended jobs: lets go on what has been decided or has expired, ends what has been cancelled,
 * and gives Redis back what it has lost. So no suspended job needs a timer, and none is forgotten with the process that
 * took a decision.
 */
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import type { RedisConnection } from "@agent-paas/shared/redis/connect.ts";
import type { RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import type { JobClaims } from "../job/job-claims.ts";
import type { SuspendedJobRestorer } from "../job/restore-suspended.ts";
import { payloadOf, type Suspensions } from "../job/suspensions.ts";
import type { SuspensionRepository, SweptJob } from "../storage/suspension-repository.ts";

/** Suspended jobs that one pass looks at; the next one goes on from there. */
const JOBS_PER_PASS = 500;

export type SuspendedSweepDeps = {
  readonly redis: RedisConnection;
  readonly keys: RedisKeys;
  readonly rows: Pick<SuspensionRepository, "page" | "expired">;
  readonly suspensions: Pick<Suspensions, "resume" | "enter">;
  readonly restorer: Pick<SuspendedJobRestorer, "keep">;
  readonly claims: Pick<JobClaims, "cancelRequested" | "hasLost">;
  readonly logger: Pick<Logger, "error">;
};

export function createSuspendedSweep({ redis, keys, rows, suspensions, restorer, claims, logger }: SuspendedSweepDeps) {
  let after = "";

  async function look(job: SweptJob, isCancelled: boolean): Promise<void> {
    const payload = payloadOf(job);
    if (payload === null) return;
    const [isQueued, hasLost, hasDecisions] = await Promise.all([
      restorer.keep(payload),
      claims.hasLost(job.job_id, job.last_seq),
      redis.exists(keys.decisions(job.job_id)),
    ]);
    if (job.is_decided || isCancelled || hasDecisions > 0) await suspensions.resume(job.job_id);
    // A start shows again what readers have lost.
    else if (!isQueued || hasLost) await suspensions.enter(job, payload);
  }

  /** One that cannot be read or resumed is in no other's way. */
  const reported = (jobId: string, looked: Promise<void>): Promise<void> =>
    looked.catch((error: unknown) => logger.error({ err: error, job_id: jobId }, "suspended job not looked after"));

  return async (): Promise<void> => {
    for (const jobId of await rows.expired(JOBS_PER_PASS)) await reported(jobId, suspensions.resume(jobId));
    const page = await rows.page(after, JOBS_PER_PASS);
    after = page.length < JOBS_PER_PASS ? "" : (page.at(-1)?.job_id ?? "");
    const cancelled = new Set(await claims.cancelRequested(page.map(({ job_id }) => job_id)));
    await Promise.all(page.map((job) => reported(job.job_id, look(job, cancelled.has(job.job_id)))));
  };
}
