/** The database under test, with its repositories and readers, and the rows that several suites insert. */
import type { CollectionRow, JobRow } from "@agent-paas/shared/db/rows.ts";
import type { ReadStorage, Storage } from "@agent-paas/shared/db/storage.ts";
import { newId } from "@agent-paas/shared/ids.ts";
import { onTestFinished } from "vitest";
import { createJobReader } from "../../apps/api/src/storage/job-reader.ts";
import { createKnowledgeReader } from "../../apps/api/src/storage/knowledge-reader.ts";
import { createSessionReader } from "../../apps/api/src/storage/session-reader.ts";
import { createJobRepository } from "../../apps/worker/src/storage/job-repository.ts";
import { createJournalRepository } from "../../apps/worker/src/storage/journal-repository.ts";
import { createKnowledgeRepository } from "../../apps/worker/src/storage/knowledge-repository.ts";
import { migrate } from "../../apps/worker/src/storage/migrate.ts";
import { createOrphanedJobRepository } from "../../apps/worker/src/storage/orphaned-job-repository.ts";
import { createRetentionRepository } from "../../apps/worker/src/storage/retention-repository.ts";
import { createSessionRepository } from "../../apps/worker/src/storage/session-repository.ts";
import { createSuspensionRepository } from "../../apps/worker/src/storage/suspension-repository.ts";
import { jobRow } from "../support/job-row.ts";

export type OpenedStorage = {
  /** For `openStorage`: further workers may open the same database. */
  readonly url: string;
  readonly storage: Storage;
  /** A reader's storage on the same database. */
  readonly readStorage: ReadStorage;
  /** Closes both, and deletes a database of its own. */
  cleanup(): Promise<void>;
};

/**
 * `new`: a database of its own that has no tables yet. `empty`: all tables without rows, perhaps in a database of
 * earlier tests.
 */
export type OpenStorage = (state: "new" | "empty") => Promise<OpenedStorage>;

/** A database of its own for one test, with all tables. */
export async function openMigrated(open: OpenStorage): Promise<OpenedStorage> {
  const opened = await open("new");
  onTestFinished(opened.cleanup);
  await migrate(opened.storage);
  return opened;
}

/** All tables without rows for one test. */
export async function openParts(open: OpenStorage) {
  const { url, storage, readStorage, cleanup } = await open("empty");
  onTestFinished(cleanup);
  return {
    url,
    storage,
    table: storage.table,
    write: storage.write,
    readStorage,
    jobs: createJobRepository(storage, "worker-a"),
    journal: createJournalRepository(storage),
    sessions: createSessionRepository(storage),
    suspensions: createSuspensionRepository(storage, Date.now),
    orphanedJobs: createOrphanedJobRepository(storage, "worker-b"),
    retention: createRetentionRepository(storage),
    knowledge: createKnowledgeRepository(storage),
    jobReader: createJobReader(readStorage),
    sessionReader: createSessionReader(readStorage),
    knowledgeReader: createKnowledgeReader(readStorage),
  };
}

export type Parts = Awaited<ReturnType<typeof openParts>>;

export const collectionRow = (fields: Partial<CollectionRow> = {}): CollectionRow => ({
  id: newId(),
  owner: "alice",
  name: newId(),
  embedding: "local",
  created_at: new Date().toISOString(),
  ...fields,
});

/** A job of alice that has just completed, with an id of its own and with these fields changed. */
export function endedJob(fields: Partial<JobRow> = {}): JobRow {
  const now = new Date().toISOString();
  return jobRow({ id: newId(), kind: "execute", created_at: now, started_at: now, finished_at: now, ...fields });
}

export const insertJobs = async ({ table, write }: Parts, ...rows: JobRow[]): Promise<void> => {
  await write([{ query: table("agent_logs").insert(rows) }]);
};
