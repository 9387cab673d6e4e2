/**
 * Cancel is a durable intent in the job's state; the message on the channel only speeds it up. Lost messages cost at
 * most `LOOK_AGAIN_MS`: the intents of all running jobs are looked up then, and whenever the connection came back.
 */
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import type { RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import type { Redis } from "ioredis";
import type { JobClaims } from "../job/job-claims.ts";
import type { RunningJobs } from "../job/running-jobs.ts";

const LOOK_AGAIN_MS = 5 * SECOND;

export function startCancelListener(
  subscriber: Redis,
  keys: RedisKeys,
  claims: JobClaims,
  running: RunningJobs,
  logger: Logger,
): { stop(): void } {
  const lookAgain = async () => {
    const jobIds = running.ids();
    if (jobIds.length === 0) return;
    for (const jobId of await claims.cancelRequested(jobIds)) running.abort(jobId, "cancelled");
  };
  const lookAgainQuietly = () => {
    lookAgain().catch((err: unknown) => logger.warn({ err }, "cancel requests could not be looked up"));
  };

  // First the subscription, then the look: what is asked in between is seen by one of them.
  const listen = () => {
    subscriber.subscribe(keys.cancelChannel).then(lookAgainQuietly, () => {});
  };
  subscriber.on("message", (_channel, jobId) => running.abort(jobId, "cancelled"));
  subscriber.on("ready", listen);
  if (subscriber.status === "ready") listen();
  const timer = setInterval(lookAgainQuietly, LOOK_AGAIN_MS);
  return { stop: () => clearInterval(timer) };
}
