/** A migrated database file for one test, deleted when the test ends. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openPostgres } from "@agent-paas/shared/db/postgres/connection.ts";
import { openPostgresStorage } from "@agent-paas/shared/db/postgres/storage.ts";
import { openWritableDatabase, type SqliteDatabase } from "@agent-paas/shared/db/sqlite/open-database.ts";
import { createSqliteStorage } from "@agent-paas/shared/db/sqlite/storage.ts";
import type { ReadStorage, Storage } from "@agent-paas/shared/db/storage.ts";
import { onTestFinished } from "vitest";
import { migrate } from "../../apps/worker/src/storage/migrate.ts";
import { newDatabase } from "./new-database.ts";
import { onPostgres } from "./on-postgres.ts";

export type TestDatabase = {
  readonly storage: Storage;
  /** Reads and changes the rows past the storage. On SQLite it is what the storage stands on. */
  readonly db: SqliteDatabase;
  /** Of SQLite. */
  readonly file: string;
};

export async function openTestDatabase(): Promise<TestDatabase> {
  const database = await openEmptyDatabase();
  await migrate(database.storage);
  return database;
}

/** Without tables. */
export async function openEmptyDatabase(): Promise<TestDatabase> {
  if (onPostgres) return openEmptyPostgres();
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

async function openEmptyPostgres(): Promise<TestDatabase> {
  const { databaseUrl: url, databaseFile, drop } = await newDatabase("");
  const storage = openPostgresStorage(url);
  const db = openPostgres({ url, maxConnections: 4, statementTimeoutMs: 0, isReadOnly: false });
  onTestFinished(async () => {
    await storage.close();
    await db.destroy();
    await drop();
  });
  return { storage, db, file: databaseFile };
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

/** Makes the database refuse every further change of the job's row, which is no outage of the database. */
export async function refuseUpdates(db: SqliteDatabase, jobId: string): Promise<void> {
  if (!onPostgres) {
    const refuses = `begin select raise(abort, 'no'); end`;
    await db.raw(`create trigger stuck before update on agent_logs when old.id = '${jobId}' ${refuses}`);
    return;
  }
  const body = "begin raise exception 'no'; end";
  await db.raw(`create function refuse() returns trigger language plpgsql as '${body.replaceAll("'", "''")}'`);
  const stuck = "create trigger stuck before update on agent_logs for each row";
  await db.raw(`${stuck} when (old.id = '${jobId}') execute function refuse()`);
}
