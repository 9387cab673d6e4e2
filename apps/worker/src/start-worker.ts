/**
 * The worker's table of contents: builds its parts in the order of their needs; each pushes its release. `fail` stops
 * the process with an exit code that is not 0.
 */
import { newId } from "@agent-paas/shared/ids.ts";
import type { Releasers } from "@agent-paas/shared/lifecycle/releasers.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import { openAgentServices } from "./compose/agents.ts";
import { createJobParts, startControl } from "./compose/jobs.ts";
import { openRedis } from "./compose/redis.ts";
import { createRunner } from "./compose/runner.ts";
import { openWorkerStorage } from "./compose/storage.ts";
import { startUpkeep } from "./compose/upkeep.ts";
import { slotsOf, type WorkerSettings } from "./config.ts";
import { startSampling } from "./presence/sampling.ts";
import { startWorkerPresence } from "./presence/worker-presence.ts";
import { createWorkerCounters } from "./run/worker-counters.ts";

export async function startWorker(
  config: WorkerSettings,
  name: string,
  logger: Logger,
  releasers: Releasers,
  fail: (reason: string) => void,
): Promise<void> {
  // Redis first: it knows which database is the installation's.
  const redis = await openRedis(config, name, logger, releasers);
  const storage = await openWorkerStorage(config, name, redis, logger, releasers);
  const agents = await openAgentServices(config, logger, releasers);
  const { repositories } = storage;
  const parts = createJobParts(config, name, redis, repositories, logger, releasers);
  const counters = createWorkerCounters(redis.clock.now);
  releasers.add("counters", () => counters.stop());
  const runner = createRunner(agents, repositories, parts.uploads, counters, redis);
  const threadWatch = startControl(config, name, redis, parts, logger, releasers);
  storage.watch(() => {
    // Without the grace of a usual stop: no running job could write its end.
    parts.running.abortAll("shutdown");
    fail("the database is not the installation's any more");
  });
  const { locks, deadWorkers } = await startUpkeep({ config, name, redis, storage, parts, runner, logger, releasers });

  const manifests = () => agents.agents.manifests(agents.toolbox);
  const workerId = `${name}:${newId()}`;
  const { queueRedis, keys } = redis;
  const slots = slotsOf(config);
  const { canWrite } = repositories;
  const presence = await startWorkerPresence({
    ...{ redis: queueRedis, keys, workerId, listManifests: manifests, slots, locks, canWrite, logger },
    onRecord: threadWatch.setRecord,
    onHeartbeats: deadWorkers.look,
  });
  releasers.add("presence", () => presence.stop());
  const sampling = startSampling({
    ...{ redis: queueRedis, keys, clock: redis.clock, identity: { id: workerId, worker: name }, logger },
    concurrency: Object.values(slots).reduce((sum, { all }) => sum + all, 0),
    ...{ running: () => parts.running.ids().length, counts: counters.take },
  });
  releasers.add("sampling", () => sampling.stop());
  logger.info({ agents: manifests().map(({ id }) => id), model: config.LLM_MODEL }, "worker ready");
}
