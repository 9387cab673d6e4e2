/**
 * Delayed jobs whose time is farther away than any delay that the platform gives. BullMQ sets the time by the clock of
 * the worker that delays a job, and promotes the job by the clocks of all: one worker whose clock is ahead, or all of
 * them set back together, would leave jobs delayed for as long as the clocks differ. So such a job is promoted now.
 */
import { JOB_QUEUES } from "@agent-paas/shared/contract/jobs.ts";
import type { InstallationClock } from "@agent-paas/shared/redis/clock.ts";
import type { RedisConnection } from "@agent-paas/shared/redis/connect.ts";
import type { RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { MINUTE, SECOND } from "@agent-paas/shared/time.ts";
import type { JobQueues } from "../job/job-queues.ts";

/** Retries and isolated starts wait a minute at most; the rest allows for clocks that differ a little. */
const LONGEST_DELAY_MS = MINUTE + 10 * SECOND;
/** BullMQ scores a delayed job by its time in ms, times this. */
const SCORE_PER_MS = 0x1000;
const PAGE = 500;

export type LateJobsDeps = {
  readonly redis: RedisConnection;
  readonly keys: RedisKeys;
  readonly queues: JobQueues;
  readonly clock: Pick<InstallationClock, "now">;
};

/** Promotes the late jobs; those beyond the first few hundred at the next call. */
export async function promoteLateJobs({ redis, keys, queues, clock }: LateJobsDeps): Promise<void> {
  const latest = (clock.now() + LONGEST_DELAY_MS) * SCORE_PER_MS;
  for (const queue of JOB_QUEUES) {
    const late = await redis.zrangebyscore(keys.delayedJobs(queue), latest, "+inf", "LIMIT", 0, PAGE);
    for (const jobId of late) {
      const job = await queues[queue].getJob(jobId);
      // It fails when the job has just been promoted by another one's end.
      await job?.promote().catch(() => {});
    }
  }
}
