/** The database and the repositories, which read and write it. */

import { sharesOf } from "@agent-paas/shared/config/knowledge-shares.ts";
import { PRESENCE_INTERVAL_MS } from "@agent-paas/shared/contract/agents.ts";
import { closeDatabaseToOthers, limitsOf, openStorage } from "@agent-paas/shared/db/open-storage.ts";
import type { Releasers } from "@agent-paas/shared/lifecycle/releasers.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import { createRedisInstallation } from "@agent-paas/shared/redis/installation.ts";
import type { WorkerConfig } from "../config.ts";
import { startInstallationWatch } from "../control/installation-watch.ts";
import { createJobRepository, type JobRepository } from "../storage/job-repository.ts";
import { joinInstallation } from "../storage/join-installation.ts";
import { createJournalRepository, type JournalRepository } from "../storage/journal-repository.ts";
import { createKnowledgeRepository, type KnowledgeRepository } from "../storage/knowledge-repository.ts";
import { createOrphanedJobRepository, type OrphanedJobRepository } from "../storage/orphaned-job-repository.ts";
import { createRetentionRepository, type RetentionRepository } from "../storage/retention-repository.ts";
import { createSessionRepository, type SessionRepository } from "../storage/session-repository.ts";
import { createSuspensionRepository, type SuspensionRepository } from "../storage/suspension-repository.ts";
import type { RedisParts } from "./redis.ts";

export type Repositories = {
  readonly jobs: JobRepository;
  readonly orphanedJobs: OrphanedJobRepository;
  readonly sessions: SessionRepository;
  readonly journal: JournalRepository;
  readonly suspensions: SuspensionRepository;
  readonly documents: KnowledgeRepository;
  readonly retention: RetentionRepository;
  /** Whether the database takes writes; asks it, unless a write has succeeded since it was last asked. */
  readonly canWrite: () => Promise<boolean>;
};

export type WorkerStorage = {
  readonly repositories: Repositories;
  /** False once the database is not the installation's any more. */
  mayStart(): boolean;
  /** Calls back once, when the database is not the installation's any more. */
  watch(onLost: () => void): void;
};

/** Resolves when the database is migrated; throws for one of another installation than Redis. */
export async function openWorkerStorage(
  config: WorkerConfig,
  name: string,
  { keys, queueRedis, clock }: Pick<RedisParts, "keys" | "queueRedis" | "clock">,
  logger: Logger,
  releasers: Releasers,
): Promise<WorkerStorage> {
  const storage = openStorage(config.DATABASE_URL, config.STORAGE_OUTAGE_MS, limitsOf(config));
  releasers.add("database", () => storage.close());
  const inRedis = createRedisInstallation(queueRedis, keys);
  const id = await joinInstallation({ storage, inRedis, keys });
  logger.info({ installation: id }, "the database is that of the installation");
  const open = closeDatabaseToOthers(config.DATABASE_URL);
  if (open.length > 0) logger.warn({ files: open }, "other users of this machine can read the database");
  const checkpoints = storage.startCheckpoints(logger);
  releasers.add("checkpoint", () => checkpoints.stop());
  const repositories = {
    jobs: createJobRepository(storage, name, clock.now),
    orphanedJobs: createOrphanedJobRepository(storage, name),
    sessions: createSessionRepository(storage),
    journal: createJournalRepository(storage, clock.now),
    suspensions: createSuspensionRepository(storage, clock.now),
    documents: createKnowledgeRepository(storage, sharesOf(config)),
    retention: createRetentionRepository(storage),
    async canWrite() {
      await storage.probe(PRESENCE_INTERVAL_MS);
      return storage.canWrite();
    },
  };
  let isLost = false;
  const watch: WorkerStorage["watch"] = (callBack) => {
    const onLost = () => {
      isLost = true;
      callBack();
    };
    const watching = startInstallationWatch({ storage, inRedis, keys, id, onLost, logger });
    releasers.add("installation watch", () => watching.stop());
  };
  return { repositories, mayStart: () => !isLost && storage.displacement() === null, watch };
}
