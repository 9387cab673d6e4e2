/**
 * Brings the database up to date, one worker at a time however many start at once: all that is missing in one
 * transaction that holds an advisory lock, which the server drops with the transaction. A worker that dies leaves
 * nothing behind, and a migration that fails leaves the database as it was.
 */
import { SECOND } from "../../time.ts";
import { migratorConfig, needsMigration } from "../migrations.ts";
import type { Migrations } from "../storage.ts";
import { openPostgres, type PostgresDatabase } from "./connection.ts";

const LOCK_WITHIN_MS = 60 * SECOND;
/** Of no meaning, but the same in all versions. */
const LOCK = 4_717_702_915_471_234;

const LOCK_NOT_AVAILABLE = "55P03";

/** If nothing is missing, it only reads. */
export async function migratePostgres(db: PostgresDatabase, url: string, migrations: Migrations): Promise<void> {
  if (!(await needsMigration(db, migrations))) return;
  // Of its own, because building an index may take longer than statements may.
  const migrator = openPostgres({ url, maxConnections: 1, statementTimeoutMs: 0, isReadOnly: false });
  try {
    await migrator.transaction(async (transaction) => {
      await transaction.raw("set local idle_in_transaction_session_timeout = 0");
      await acquireLock(transaction);
      // Another worker may have migrated meanwhile.
      if (!(await needsMigration(transaction, migrations))) return;
      await transaction.migrate.latest(migratorConfig(migrations));
    });
  } finally {
    await migrator.destroy();
  }
}

async function acquireLock(transaction: PostgresDatabase): Promise<void> {
  try {
    await transaction.raw(`set local lock_timeout = ${LOCK_WITHIN_MS}`);
    await transaction.raw(`select pg_advisory_xact_lock(${LOCK})`);
    await transaction.raw("set local lock_timeout = 0");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === LOCK_NOT_AVAILABLE)) throw error;
    throw new Error("Another worker has been migrating the database for too long", { cause: error });
  }
}
