/** The database and the repositories, which read and write it. */
import { HEARTBEAT_INTERVAL_MS } from "@agent-paas/shared/contract/agents.ts";
import { openStorage } from "@agent-paas/shared/db/open-storage.ts";
import type { Releasers } from "@agent-paas/shared/lifecycle/releasers.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import type { WorkerConfig } from "../config.ts";
import { createJobRepository, type JobRepository } from "../storage/job-repository.ts";
import { createJournalRepository, type JournalRepository } from "../storage/journal-repository.ts";
import { createKnowledgeRepository, type KnowledgeRepository } from "../storage/knowledge-repository.ts";
import { migrate } from "../storage/migrate.ts";
import { createOrphanedJobRepository, type OrphanedJobRepository } from "../storage/orphaned-job-repository.ts";
import { createRetentionRepository, type RetentionRepository } from "../storage/retention-repository.ts";
import { createSessionRepository, type SessionRepository } from "../storage/session-repository.ts";

export type Repositories = {
  readonly jobs: JobRepository;
  readonly orphanedJobs: OrphanedJobRepository;
  readonly sessions: SessionRepository;
  readonly journal: JournalRepository;
  readonly documents: KnowledgeRepository;
  readonly retention: RetentionRepository;
  /** Whether the database takes writes; asks it, unless a write has succeeded since the last heartbeat. */
  readonly canWrite: () => Promise<boolean>;
};

/** Resolves when the database is migrated. */
export async function openWorkerStorage(
  config: WorkerConfig,
  name: string,
  logger: Logger,
  releasers: Releasers,
): Promise<Repositories> {
  const storage = openStorage(config.DATABASE_URL, config.STORAGE_OUTAGE_MS);
  releasers.add("database", () => storage.close());
  await migrate(storage);
  const checkpoints = storage.startCheckpoints(logger);
  releasers.add("checkpoint", () => checkpoints.stop());
  return {
    jobs: createJobRepository(storage, name),
    orphanedJobs: createOrphanedJobRepository(storage, name),
    sessions: createSessionRepository(storage),
    journal: createJournalRepository(storage),
    documents: createKnowledgeRepository(storage),
    retention: createRetentionRepository(storage),
    async canWrite() {
      await storage.probe(HEARTBEAT_INTERVAL_MS);
      return storage.canWrite();
    },
  };
}
