/**
 * Delayed jobs whose time is farther away than any delay that the platform gives. BullMQ sets the time by the clock of
 * the worker that delays a job, and promotes the job by the clocks of all: one worker whose clock is ahead, or all of
 * them set back together, would leave jobs delayed for as long as the clocks differ. So such a job is promoted now.
 */
import type { InstallationClock } from "@agent-paas/shared/redis/clock.ts";
import type { RedisConnection } from "@agent-paas/shared/redis/connect.ts";
import { MINUTE, SECOND } from "@agent-paas/shared/time.ts";
import type { Queue } from "bullmq";

/** Retries and isolated starts wait a minute at most; the rest allows for clocks that differ a little. */
const LONGEST_DELAY_MS = MINUTE + 10 * SECOND;
/** BullMQ scores a delayed job by its time in ms, times this. */
const SCORE_PER_MS = 0x1000;
const PAGE = 500;

export type LateJobsDeps = {
  readonly redis: RedisConnection;
  readonly queues: readonly Queue[];
  readonly clock: Pick<InstallationClock, "now">;
};

/** Promotes the late jobs; those beyond the first few hundred at the next call. */
export async function promoteLateJobs({ redis, queues, clock }: LateJobsDeps): Promise<void> {
  const latest = (clock.now() + LONGEST_DELAY_MS) * SCORE_PER_MS;
  for (const queue of queues) {
    const late = await redis.zrangebyscore(queue.toKey("delayed"), latest, "+inf", "LIMIT", 0, PAGE);
    for (const jobId of late) {
      const job = await queue.getJob(jobId);
      // Retention is scheduled for days ahead.
      if (job?.repeatJobKey !== undefined) continue;
      // It fails when the job has just been promoted by another one's end.
      await job?.promote().catch(() => {});
    }
  }
}
