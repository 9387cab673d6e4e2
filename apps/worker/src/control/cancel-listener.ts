/**
 * A cancel is a durable request in the job's state; the message on the channel only speeds it up. A lost message costs
 * at most `RECHECK_MS`: then, and whenever the connection was re-established, the requests of all running jobs are
 * read.
 */
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import { logRepeatedly } from "@agent-paas/shared/logging/repeated-warnings.ts";
import type { RedisConnection } from "@agent-paas/shared/redis/connect.ts";
import type { RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { createSubscriptions } from "@agent-paas/shared/redis/subscriptions.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import type { JobClaims } from "../job/job-claims.ts";
import type { RunningJobs } from "../job/running-jobs.ts";

const RECHECK_MS = 5 * SECOND;

export type CancelListenerDeps = {
  readonly subscriber: RedisConnection;
  readonly keys: RedisKeys;
  readonly claims: JobClaims;
  readonly running: RunningJobs;
  readonly logger: Logger;
};

export function startCancelListener({ subscriber, keys, claims, running, logger }: CancelListenerDeps): {
  stop(): void;
} {
  async function check(): Promise<void> {
    const jobIds = running.ids();
    if (jobIds.length === 0) return;
    for (const jobId of await claims.cancelRequested(jobIds)) running.abort(jobId, "cancelled");
  }
  const checkQuietly = () => {
    check().catch((err: unknown) => logRepeatedly(logger, "warn", { err }, "cancel requests could not be read"));
  };

  // The subscription comes first, then the check: a request made in between is seen by one of them.
  const channels = [...keys.cancelChannels, keys.formerCancelChannel];
  const subscriptions = createSubscriptions({
    redis: subscriber,
    wanted: () => channels,
    onMessage: (_channel, jobId) => running.abort(jobId.toString(), "cancelled"),
    onReturn: checkQuietly,
  });
  for (const channel of channels) subscriptions.subscribe(channel).then(checkQuietly, () => {});
  const timer = setInterval(checkQuietly, RECHECK_MS);
  return { stop: () => clearInterval(timer) };
}
