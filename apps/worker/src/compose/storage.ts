/** The database and everything that reads or writes it. */
import { databaseFile, openWritableDatabase } from "@agent-paas/shared/db/open-database.ts";
import type { Releasers } from "@agent-paas/shared/lifecycle/releasers.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import type { WorkerConfig } from "../config.ts";
import { createJobRepository } from "../storage/job-repository.ts";
import { createJournalRepository } from "../storage/journal-repository.ts";
import { createKnowledgeRepository } from "../storage/knowledge-repository.ts";
import { migrate } from "../storage/migrate.ts";
import { createOrphanedJobRepository } from "../storage/orphaned-job-repository.ts";
import { createRetentionRepository } from "../storage/retention-repository.ts";
import { createSessionRepository } from "../storage/session-repository.ts";
import { startWalCheckpoint } from "../storage/wal-checkpoint.ts";

export type Repositories = Awaited<ReturnType<typeof openWorkerStorage>>;

export async function openWorkerStorage(config: WorkerConfig, name: string, logger: Logger, releasers: Releasers) {
  const file = databaseFile(config.DATABASE_URL);
  const db = openWritableDatabase(file);
  releasers.add("database", () => db.destroy());
  await migrate(db, file);
  const checkpoint = startWalCheckpoint({ db, file, logger });
  releasers.add("checkpoint", () => checkpoint.stop());
  return {
    jobs: createJobRepository(db, name),
    orphanedJobs: createOrphanedJobRepository(db, name),
    sessions: createSessionRepository(db),
    journal: createJournalRepository(db),
    documents: createKnowledgeRepository(db),
    retention: createRetentionRepository(db),
  };
}
