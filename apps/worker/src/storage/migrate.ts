/**
 * Brings the database up to date, one worker at a time however many start at once. The lock is an exclusive
 * transaction on a file beside the database: the operating system drops it with the process, so a crash leaves no
 * stuck lock behind, as Knex's own lock table would.
 *
 * Migrations are forward-only. Older workers may be running while this one migrates, and one of them may start
 * afterwards: each migration's header says whether they may. Where they may not, its name ends with "-breaking",
 * which is how an older worker that does not know the migration learns that it must not start.
 */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { SECOND } from "@agent-paas/shared/time.ts";
import Database from "better-sqlite3";
import type { Knex } from "knex";
import * as initial from "./migrations/001-initial.ts";
import * as agentSteps from "./migrations/002-agent-steps.ts";
import * as knowledge from "./migrations/003-knowledge.ts";
import * as indexes from "./migrations/004-indexes.ts";
import * as knowledgeIndexes from "./migrations/005-knowledge-indexes.ts";
import * as reaperAndRetention from "./migrations/006-reaper-and-retention.ts";
import * as glossaryNames from "./migrations/007-glossary-names-breaking.ts";

type Migration = { up(db: Knex): Promise<void> };

const MIGRATIONS: ReadonlyMap<string, Migration> = new Map([
  ["001-initial", initial],
  ["002-agent-steps", agentSteps],
  ["003-knowledge", knowledge],
  ["004-indexes", indexes],
  ["005-knowledge-indexes", knowledgeIndexes],
  ["006-reaper-and-retention", reaperAndRetention],
  ["007-glossary-names-breaking", glossaryNames],
]);

const LOCK_WITHIN_MS = 60 * SECOND;
const LOCK_POLL_MS = 50;

/** How long a statement of a migration waits while other workers write. It blocks the event loop, which is idle yet. */
const BUSY_TIMEOUT_MS = 10 * SECOND;

const migrationSource: Knex.MigrationSource<string> = {
  getMigrations: async () => [...MIGRATIONS.keys()],
  getMigrationName: (name) => name,
  getMigration: async (name) => ({ ...(MIGRATIONS.get(name) as Migration), down: () => refuseDown(name) }),
};

/** Knex wants a way back for each migration. There is none: what was written since would be lost. */
async function refuseDown(name: string): Promise<never> {
  throw new Error(`Migration ${name} is forward-only: to go back, restore a backup made before it`);
}

/** Without Knex's own check of the list, which would refuse every database that a newer worker has migrated. */
const CONFIG: Knex.MigratorConfig = { migrationSource, disableMigrationsListValidation: true };

/** Runs what is missing. `db` is opened on `file` by `openWritableDatabase`. */
export async function migrate(db: Knex, file: string): Promise<void> {
  const lock = await acquireLock(file);
  try {
    await withBusyTimeout(db, BUSY_TIMEOUT_MS, async () => {
      // We hold the real lock: what stands in Knex's lock table was left by a process that died.
      await db.migrate.forceFreeMigrationsLock(CONFIG);
      await refuseBreaking(db);
      await db.migrate.latest(CONFIG);
    });
  } finally {
    lock.close();
  }
}

/** Throws when a newer worker has run a migration that no older worker may run beside. */
async function refuseBreaking(db: Knex): Promise<void> {
  const [applied]: [{ name: string }[], unknown] = await db.migrate.list(CONFIG);
  const breaking = applied
    .map(({ name }) => name)
    .filter((name) => !MIGRATIONS.has(name) && name.endsWith("-breaking"));
  if (breaking.length === 0) return;
  const names = breaking.join(", ");
  throw new Error(`A newer version has migrated the database (${names}); this one cannot use it: start the newer one`);
}

async function withBusyTimeout(db: Knex, ms: number, run: () => Promise<void>): Promise<void> {
  const [usual]: { timeout: number }[] = await db.raw("pragma busy_timeout");
  await db.raw(`pragma busy_timeout = ${ms}`);
  try {
    await run();
  } finally {
    await db.raw(`pragma busy_timeout = ${usual?.timeout ?? 0}`);
  }
}

async function acquireLock(file: string): Promise<{ close(): void }> {
  mkdirSync(dirname(file), { recursive: true });
  const lock = new Database(`${file}.migrate-lock`, { timeout: 0 });
  const giveUpAt = Date.now() + LOCK_WITHIN_MS;
  for (;;) {
    try {
      lock.exec("begin exclusive");
      return lock;
    } catch (error) {
      if (Date.now() > giveUpAt) {
        lock.close();
        throw new Error("Another worker has been migrating the database for too long", { cause: error });
      }
    }
    await delay(LOCK_POLL_MS);
  }
}
