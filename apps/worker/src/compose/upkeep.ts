/** What takes jobs and what keeps the platform clean: queue workers, maintenance, retention, the reaper. */
import type { Releasers } from "@agent-paas/shared/lifecycle/releasers.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import { slotsOf, type WorkerConfig } from "../config.ts";
import type { WorkerLocks } from "../job/worker-locks.ts";
import { createJobWorkers } from "../queue/job-workers.ts";
import { createMaintenanceProcessor } from "../queue/maintenance-processor.ts";
import { createRetention } from "../queue/retention.ts";
import { createDeadWorkers, type DeadWorkers } from "../recovery/dead-workers.ts";
import { createFailedJobs } from "../recovery/failed-jobs.ts";
import { promoteLateJobs } from "../recovery/late-jobs.ts";
import { watchLostEnds } from "../recovery/lost-ends.ts";
import { createOrphanFinalizer } from "../recovery/orphan-finalizer.ts";
import { createOwnerIndexSweep } from "../recovery/owner-index-sweep.ts";
import { startReaper } from "../recovery/reaper.ts";
import { createSuspendedSweep } from "../recovery/suspended-jobs.ts";
import { createPlaceSweep } from "../recovery/sweep-places.ts";
import type { AgentRunner } from "../run/agent-runner.ts";
import { createProcessors, type JobParts } from "./jobs.ts";
import type { RedisParts } from "./redis.ts";
import type { WorkerStorage } from "./storage.ts";

export type UpkeepDeps = {
  readonly config: WorkerConfig;
  readonly name: string;
  readonly redis: RedisParts;
  readonly storage: WorkerStorage;
  readonly parts: JobParts;
  readonly runner: AgentRunner;
  readonly logger: Logger;
  readonly releasers: Releasers;
};

export type Upkeep = { readonly locks: WorkerLocks; readonly deadWorkers: DeadWorkers };

/** Resolves when this worker takes jobs. */
export async function startUpkeep(deps: UpkeepDeps): Promise<Upkeep> {
  const { config, name, redis, storage, parts, runner, logger, releasers } = deps;
  const { keys, queueRedis, queues, maintenance, clock } = redis;
  const { repositories } = storage;
  const { claims, publisher, sessionQueue, queuedJobs, finalizer, recentEnds, running, heldLocks, stored } = parts;
  const { suspensions, restorer, places, timelines } = parts;
  const { orphanedJobs: rows, sessions } = repositories;

  const failedJobs = createFailedJobs({ queues, maintenance, claims, rows, logger });
  const retention = createRetention({
    ...{ queues, maintenance, claims, sessionQueue, logger },
    rows: repositories.retention,
    jobDays: config.JOB_RETENTION_DAYS,
    sessionDays: config.SESSION_RETENTION_DAYS,
    intervalSeconds: config.RETENTION_INTERVAL_SECONDS,
  });
  const workers = createJobWorkers({
    redis: queueRedis,
    prefix: keys.bullmq,
    name,
    slots: slotsOf(config),
    processors: createProcessors(config, parts, repositories, runner, logger),
    maintenance: createMaintenanceProcessor({
      queues,
      queuedJobs,
      sessions,
      sessionQueue,
      claims,
      publisher,
      retention,
      stored,
      suspensions,
    }),
    onFailed: failedJobs.listener,
    running,
    heldLocks,
    mayStart: storage.mayStart,
    logger,
  });
  releasers.add("job workers", () => workers.stop(config.SHUTDOWN_GRACE_MS));
  await workers.start();

  const orphans = createOrphanFinalizer({ claims, publisher, finalizer, rows, timelines });
  const reaper = startReaper({
    ...{ redis: queueRedis, keys, rows, orphans, places, failedJobs, logger },
    promoteLateJobs: () =>
      promoteLateJobs({ redis: queueRedis, queues: [...Object.values(queues), maintenance], clock }),
    sweepSuspended: createSuspendedSweep({
      ...{ redis: queueRedis, keys, rows: repositories.suspensions, suspensions, restorer, claims, logger },
    }),
    sweepOwnerIndexes: createOwnerIndexSweep({ redis: queueRedis, keys, rows, clock, logger }),
    sweepPlaces: createPlaceSweep(queueRedis, keys),
    restoreSchedule: retention.schedule,
  });
  releasers.add("reaper", () => reaper.stop());
  const { eventRedis, publisherRedis } = redis;
  const lostEnds = watchLostEnds({
    ...{ claims, publisher, finalizer, recentEnds, jobs: repositories.jobs, logger },
    connections: [eventRedis, publisherRedis],
  });
  releasers.add("lost ends", () => lostEnds.stop());
  const { locks, restartStalled } = workers;
  return { locks, deadWorkers: createDeadWorkers({ redis: queueRedis, keys, restartStalled, logger }) };
}
