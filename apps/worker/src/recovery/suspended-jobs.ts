/**
 * The reaper's sweep of suspended jobs: lets go on what has been decided or has expired, and gives Redis back what it
 * has lost. So no suspended job needs a timer, and none is forgotten with the process that took a decision.
 */
import { queueOf } from "@agent-paas/shared/contract/jobs.ts";
import type { RedisConnection } from "@agent-paas/shared/redis/connect.ts";
import type { RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import type { SuspendedJobRestorer } from "../job/restore-suspended.ts";
import { payloadOf, type Suspensions } from "../job/suspensions.ts";
import type { SuspendedJob, SuspensionRepository } from "../storage/suspension-repository.ts";

/** Suspended jobs that one pass looks at; the next one goes on from there. */
const JOBS_PER_PASS = 500;

export type SuspendedSweepDeps = {
  readonly redis: RedisConnection;
  readonly keys: RedisKeys;
  readonly rows: Pick<SuspensionRepository, "page" | "expired">;
  readonly suspensions: Pick<Suspensions, "resume">;
  readonly restorer: SuspendedJobRestorer;
};

export function createSuspendedSweep({ redis, keys, rows, suspensions, restorer }: SuspendedSweepDeps) {
  let after = "";

  async function look(job: SuspendedJob): Promise<void> {
    const payload = payloadOf(job);
    if (payload === null) return;
    const [isQueued, hasDecisions] = await Promise.all([
      redis.exists(keys.queuedJob(queueOf(payload), job.job_id)),
      redis.exists(keys.decisions(job.job_id)),
    ]);
    if (isQueued === 0) await restorer.restore(job, payload);
    if (hasDecisions > 0 || isQueued === 0) await suspensions.resume(job.job_id);
  }

  return async (): Promise<void> => {
    for (const jobId of await rows.expired(JOBS_PER_PASS)) await suspensions.resume(jobId);
    const page = await rows.page(after, JOBS_PER_PASS);
    after = page.length < JOBS_PER_PASS ? "" : (page.at(-1)?.job_id ?? "");
    await Promise.all(page.map(look));
  };
}
