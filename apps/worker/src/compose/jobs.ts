/** The life of jobs: claims, session order, publisher, finalizers, processors and the queue workers that feed them. */
import type { JobQueue } from "@agent-paas/shared/contract/jobs.ts";
import type { Releasers } from "@agent-paas/shared/lifecycle/releasers.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import { createDecisions } from "@agent-paas/shared/redis/decisions.ts";
import { slotsOf, type WorkerConfig } from "../config.ts";
import { startCancelListener } from "../control/cancel-listener.ts";
import { startThreadWatch, type ThreadWatch } from "../control/thread-watch.ts";
import { createJobEventPublisher } from "../events/job-event-publisher.ts";
import { createHeldLocks } from "../job/held-locks.ts";
import { createJobClaims } from "../job/job-claims.ts";
import { createJobFinalizer } from "../job/job-finalizer.ts";
import { createJobProcessor } from "../job/job-processor.ts";
import { createLiveTimelines } from "../job/live-timelines.ts";
import { createOwnerSlots } from "../job/owner-slots.ts";
import { createPlaces } from "../job/places.ts";
import { createQueuedJobFinalizer } from "../job/queued-job-finalizer.ts";
import { createRecentEnds } from "../job/recent-ends.ts";
import { createSuspendedJobRestorer } from "../job/restore-suspended.ts";
import { createRunningJobs } from "../job/running-jobs.ts";
import { createSessionQueue } from "../job/session-queue.ts";
import { createStoredPayloads } from "../job/stored-payloads.ts";
import { createSuspensions } from "../job/suspensions.ts";
import { createUploads } from "../knowledge/uploads.ts";
import type { AgentRunner } from "../run/agent-runner.ts";
import type { RedisParts } from "./redis.ts";
import type { Repositories } from "./storage.ts";

export type JobParts = ReturnType<typeof createJobParts>;

export function createJobParts(
  config: WorkerConfig,
  name: string,
  { keys, eventRedis, publisherRedis, clock }: RedisParts,
  { jobs, suspensions: suspendedRows }: Repositories,
  logger: Logger,
  releasers: Releasers,
) {
  const claims = createJobClaims(eventRedis, keys);
  const places = createPlaces(eventRedis, keys, logger);
  const sessionQueue = createSessionQueue(eventRedis, keys, places, logger);
  const logTtlSeconds = config.EVENT_LOG_TTL_SECONDS;
  const publisher = createJobEventPublisher({ redis: publisherRedis, keys, logTtlSeconds, logger });
  releasers.add("publisher", () => publisher.close());
  const uploads = createUploads(eventRedis, keys);
  const stored = createStoredPayloads(eventRedis, keys, logger);
  const recentEnds = createRecentEnds();
  const timelines = createLiveTimelines({ redis: eventRedis, keys, worker: name, clock });
  releasers.add("timelines", () => timelines.stop());
  const finalizer = createJobFinalizer({ jobs, sessionQueue, places, recentEnds });
  const queuedJobs = createQueuedJobFinalizer({
    ...{ claims, publisher, jobs, finalizer, sessionQueue, stored, timelines },
  });
  const running = createRunningJobs();
  const heldLocks = createHeldLocks();
  const restorer = createSuspendedJobRestorer(eventRedis, keys, { claims, jobs });
  const suspensions = createSuspensions({
    ...{ rows: suspendedRows, decisions: createDecisions(eventRedis, keys), places, restorer, clock },
    ...{ claims, publisher, logger },
    ttlSeconds: config.DECISION_TTL_SECONDS,
    maxPerOwner: config.MAX_SUSPENDED_JOBS_PER_OWNER,
  });
  const ends = { finalizer, recentEnds, queuedJobs };
  return {
    clock,
    claims,
    places,
    sessionQueue,
    publisher,
    uploads,
    stored,
    ...ends,
    running,
    heldLocks,
    suspensions,
    restorer,
    timelines,
  };
}

/** One processor per queue: they differ in their time limit. */
export function createProcessors(
  config: WorkerConfig,
  parts: JobParts,
  { jobs, suspensions: suspendedRows }: Repositories,
  runner: AgentRunner,
  logger: Logger,
) {
  const slots = slotsOf(config);
  const processor = (queue: JobQueue, deadlineMs: number) => {
    const ownerSlots = createOwnerSlots(slots[queue].own);
    return createJobProcessor({ ...parts, suspendedRows, ownerSlots, jobs, runner, logger, deadlineMs });
  };
  return {
    chat: processor("chat", config.CHAT_DEADLINE_MS),
    execute: processor("execute", config.EXECUTE_DEADLINE_MS),
    knowledge: processor("knowledge", config.EXECUTE_DEADLINE_MS),
  };
}

export function startControl(
  config: WorkerConfig,
  name: string,
  { keys, subscriber }: RedisParts,
  { claims, running, heldLocks }: JobParts,
  logger: Logger,
  releasers: Releasers,
): ThreadWatch {
  const listener = startCancelListener({ subscriber, keys, claims, running, logger });
  releasers.add("cancel listener", () => listener.stop());
  const { REDIS_URL: topology, REDIS_PREFIX: prefix } = config;
  const threadWatch = startThreadWatch({ topology, prefix, name, claims, running, heldLocks, logger });
  releasers.add("thread watch", () => threadWatch.stop());
  return threadWatch;
}
