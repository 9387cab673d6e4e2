/**
 * Brings the database up to date, one worker at a time however many start at once. The lock is an exclusive
 * transaction on a file beside the database: the operating system drops it with the process, so a crash leaves no
 * stuck lock behind, as Knex's own lock table would.
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
import * as glossaryNames from "./migrations/007-glossary-names.ts";

const MIGRATIONS: ReadonlyMap<string, Knex.Migration> = new Map([
  ["001-initial", initial],
  ["002-agent-steps", agentSteps],
  ["003-knowledge", knowledge],
  ["004-indexes", indexes],
  ["005-knowledge-indexes", knowledgeIndexes],
  ["006-reaper-and-retention", reaperAndRetention],
  ["007-glossary-names", glossaryNames],
]);

const LOCK_WITHIN_MS = 60 * SECOND;
const LOCK_POLL_MS = 50;

const migrationSource: Knex.MigrationSource<string> = {
  getMigrations: async () => [...MIGRATIONS.keys()],
  getMigrationName: (name) => name,
  getMigration: async (name) => MIGRATIONS.get(name) as Knex.Migration,
};

/** Runs what is missing. `db` is opened on `file` by `openWritableDatabase`. */
export async function migrate(db: Knex, file: string): Promise<void> {
  const lock = await acquireLock(file);
  try {
    // We hold the real lock: what stands in Knex's lock table was left by a process that died.
    await db.migrate.forceFreeMigrationsLock({ migrationSource });
    await db.migrate.latest({ migrationSource });
  } finally {
    lock.close();
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
