/**
 * Brings the database up to date, one worker at a time however many start at once. The lock is an exclusive
 * transaction on a file beside the database: the operating system drops it with the process, so a crash leaves no
 * stuck lock behind, as Knex's own lock table would.
 *
 * Migrations are forward-only. Older workers may be running while this one migrates, and one of them may start
 * afterwards. A name that ends with "-breaking" is how an older worker that does not know the migration learns that it
 * must not start.
 */
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import Database from "better-sqlite3";
import type { Knex } from "knex";
import { makeFolder } from "../../files/folders.ts";
import { SECOND } from "../../time.ts";
import type { Migrations } from "../storage.ts";
import type { SqliteDatabase } from "./open-database.ts";

/** Knex's default. */
const APPLIED_TABLE = "knex_migrations";

const LOCK_WITHIN_MS = 60 * SECOND;
const LOCK_POLL_MS = 50;

/** How long a statement of a migration waits while other workers write. The wait blocks the event loop, idle as yet. */
const BUSY_TIMEOUT_MS = 10 * SECOND;

/**
 * Runs what is missing. If nothing is, it only reads: a worker then starts although the disk is full or another process
 * holds the database's lock, and waits for it like the workers that run.
 */
export async function migrateSqlite(db: SqliteDatabase, file: string, migrations: Migrations): Promise<void> {
  const applied = await appliedMigrations(db);
  refuseBreaking(applied, migrations);
  if ([...migrations.keys()].every((name) => applied.includes(name))) return;
  // Without Knex's own check of the list, which would refuse every database that a newer worker has migrated.
  const config = { migrationSource: sourceOf(migrations), disableMigrationsListValidation: true };
  const lock = await acquireLock(file);
  try {
    await withBusyTimeout(db, BUSY_TIMEOUT_MS, async () => {
      // We hold the real lock: what stands in Knex's lock table was left by a process that died.
      await db.migrate.forceFreeMigrationsLock(config);
      // Another worker may have migrated meanwhile.
      refuseBreaking(await appliedMigrations(db), migrations);
      await db.migrate.latest(config);
    });
  } finally {
    lock.close();
  }
}

const sourceOf = (migrations: Migrations): Knex.MigrationSource<string> => ({
  getMigrations: async () => [...migrations.keys()],
  getMigrationName: (name) => name,
  getMigration: async (name) => {
    const migration = migrations.get(name);
    if (migration === undefined) throw new Error(`There is no migration ${name}`);
    return { up: (db) => migration.up(db), down: () => refuseDown(name) };
  },
});

/** Knex wants a way back for each migration. There is none: what was written since would be lost. */
async function refuseDown(name: string): Promise<never> {
  throw new Error(`Migration ${name} is forward-only: to go back, restore a backup made before it`);
}

/** Read from Knex's table directly: Knex's own list would create the table, and so write, each time. */
async function appliedMigrations(db: SqliteDatabase): Promise<string[]> {
  if (!(await db.schema.hasTable(APPLIED_TABLE))) return [];
  return db<{ name: string }>(APPLIED_TABLE).orderBy("id").pluck("name");
}

/** Throws when a newer worker has run a migration that no older worker may run beside. */
function refuseBreaking(applied: readonly string[], known: Migrations): void {
  const breaking = applied.filter((name) => !known.has(name) && name.endsWith("-breaking"));
  if (breaking.length === 0) return;
  const names = breaking.join(", ");
  throw new Error(`A newer version has migrated the database (${names}); this one cannot use it: start the newer one`);
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
