/** A migrated database file for one test, deleted when the test ends. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openWritableDatabase, type SqliteDatabase } from "@agent-paas/shared/db/sqlite/open-database.ts";
import { createSqliteStorage } from "@agent-paas/shared/db/sqlite/storage.ts";
import type { ReadStorage, Storage } from "@agent-paas/shared/db/storage.ts";
import { onTestFinished } from "vitest";
import { migrate } from "../../apps/worker/src/storage/migrate.ts";

export type TestDatabase = {
  readonly storage: Storage;
  /** What the storage stands on, for tests that look at SQLite itself. */
  readonly db: SqliteDatabase;
  readonly file: string;
};

export async function openTestDatabase(): Promise<TestDatabase> {
  const database = await openEmptyDatabase();
  await migrate(database.storage);
  return database;
}

/** Without tables. */
export async function openEmptyDatabase(): Promise<TestDatabase> {
  const dir = await mkdtemp(join(tmpdir(), "agent-paas-db-"));
  const file = join(dir, "test.db");
  const db = openWritableDatabase(file);
  const storage = createSqliteStorage(db, file);
  onTestFinished(async () => {
    await storage.close();
    await rm(dir, { recursive: true });
  });
  return { storage, db, file };
}

/** A reader's storage over a worker's, so that one handle sees what both ask. */
export const readThrough = ({ table, sql, installation, displacement }: Storage): ReadStorage => ({
  read: (query) => query(table, sql),
  installation,
  displacement,
  close: async () => {},
});

/** Counts the acquisitions of the handle after this call: a write that finds the database busy makes one per try. */
export function countAcquisitions(db: SqliteDatabase): () => number {
  let count = 0;
  const acquire = db.client.acquireConnection.bind(db.client);
  Object.assign(db.client, {
    acquireConnection() {
      count++;
      return acquire();
    },
  });
  return () => count;
}
