/**
 * Brings the database up to date, one worker at a time however many start at once. The lock is an exclusive
 * transaction on a file beside the database: the operating system drops it with the process, so a crash leaves no
 * stuck lock behind, as Knex's own lock table would.
 */
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import Database from "better-sqlite3";
import { makeFolder } from "../../files/folders.ts";
import { SECOND } from "../../time.ts";
import { migratorConfig, needsMigration } from "../migrations.ts";
import type { Migrations } from "../storage.ts";
import type { SqliteDatabase } from "./open-database.ts";

const LOCK_WITHIN_MS = 60 * SECOND;
const LOCK_POLL_MS = 50;

/** How long a statement of a migration waits while other workers write. The wait blocks the event loop, idle as yet. */
const BUSY_TIMEOUT_MS = 10 * SECOND;

/**
 * Runs what is missing. If nothing is, it only reads: a worker then starts although the disk is full or another process
 * holds the database's lock, and waits for it like the workers that run.
 */
export async function migrateSqlite(db: SqliteDatabase, file: string, migrations: Migrations): Promise<void> {
  if (!(await needsMigration(db, migrations))) return;
  const config = migratorConfig(migrations);
  const lock = await acquireLock(file);
  try {
    await withBusyTimeout(db, BUSY_TIMEOUT_MS, async () => {
      // We hold the real lock: what stands in Knex's lock table was left by a process that died.
      await db.migrate.forceFreeMigrationsLock(config);
      // Another worker may have migrated meanwhile.
      if (await needsMigration(db, migrations)) await db.migrate.latest(config);
    });
  } finally {
    lock.close();
  }
}

async function withBusyTimeout(db: SqliteDatabase, ms: number, run: () => Promise<void>): Promise<void> {
  const [usual]: { timeout: number }[] = await db.raw("pragma busy_timeout");
  await db.raw(`pragma busy_timeout = ${ms}`);
  try {
    await run();
  } finally {
    await db.raw(`pragma busy_timeout = ${usual?.timeout ?? 0}`);
  }
}

async function acquireLock(file: string): Promise<{ close(): void }> {
  makeFolder(dirname(file));
  const lock = new Database(`${file}.migrate-lock`, { timeout: 0 });
  const giveUpAt = performance.now() + LOCK_WITHIN_MS;
  for (;;) {
    try {
      lock.exec("begin exclusive");
      return lock;
    } catch (error) {
      if (performance.now() > giveUpAt) {
        lock.close();
        throw new Error("Another worker has been migrating the database for too long", { cause: error });
      }
    }
    await delay(LOCK_POLL_MS);
  }
}
