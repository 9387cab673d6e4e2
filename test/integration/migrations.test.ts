/** Workers that start at once migrate the database once, also when one of them has died during the migration. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { migrate } from "../../apps/worker/src/storage/migrate.ts";
import { ROOT } from "../support/sources.ts";
import { openTestDatabase } from "../support/test-database.ts";
import { waitFor } from "../support/wait-for.ts";

const MIGRATE = `
  const { openWritableDatabase } = await import("@agent-paas/shared/db/open-database.ts");
  const { migrate } = await import(process.argv[2]);
  const db = openWritableDatabase(process.argv[1]);
  await migrate(db, process.argv[1]);
  await db.destroy();
`;
const MIGRATE_MODULE = join(ROOT, "apps/worker/src/storage/migrate.ts");

const ADDED_LAST = ["agent_logs_running", "agent_logs_of_sessions", "agent_logs_queries", "sessions_updated_at"];

/** Whether a process holds the lock that a migration takes before its first statement. */
function isLocked(lockFile: string): boolean {
  const lock = new DatabaseSync(lockFile, { timeout: 0 });
  try {
    lock.exec("begin exclusive");
    return false;
  } catch {
    return true;
  } finally {
    lock.close();
  }
}

const migrateInProcess = (file: string) =>
  promisify(execFile)(process.execPath, ["--input-type=module-typescript", "-e", MIGRATE, file, MIGRATE_MODULE], {
    cwd: ROOT,
  });

test("six processes that migrate at once apply each migration once", async () => {
  const { file, db } = await openTestDatabase();
  const fresh = `${file}.fresh`;
  await Promise.all(Array.from({ length: 6 }, () => migrateInProcess(fresh)));
  await db.raw("attach database ? as fresh", [fresh]);
  const applied = await db("fresh.knex_migrations").select("name");
  expect(applied.map(({ name }) => name)).toEqual([
    "001-initial",
    "002-agent-steps",
    "003-knowledge",
    "004-indexes",
    "005-knowledge-indexes",
    "006-reaper-and-retention",
    "007-glossary-names-breaking",
  ]);
});

test("the lock of a process that died during a migration does not stop the next", async () => {
  const { file, db } = await openTestDatabase();
  await db("knex_migrations_lock").update({ is_locked: 1 });
  await expect(migrateInProcess(file)).resolves.toBeDefined();
});

test("a migration waits while another worker writes", async () => {
  const { file, db } = await openTestDatabase();
  // As a database of an older version: the last migration is still to be run.
  await db("knex_migrations").where({ name: "006-reaper-and-retention" }).delete();
  await db.schema.alterTable("agent_logs", (table) => table.index(["session_id"]));
  for (const name of ADDED_LAST) await db.raw(`drop index ${name}`);

  await db.raw("begin immediate");
  const migrated = migrateInProcess(file);
  await waitFor("the migration to begin", () => isLocked(`${file}.migrate-lock`));
  await db.raw("commit");
  await expect(migrated).resolves.toBeDefined();
  const indexes = await db("sqlite_master").where({ type: "index" }).whereIn("name", ADDED_LAST).pluck("name");
  expect(indexes.sort()).toEqual([...ADDED_LAST].sort());
});

test("an older worker starts on a newer database, unless one of its migrations is breaking", async () => {
  const { file, db } = await openTestDatabase();
  const pretend = (name: string) => db("knex_migrations").insert({ name, batch: 2, migration_time: new Date() });
  await pretend("900-more-columns");
  await expect(migrate(db, file)).resolves.toBeUndefined();
  await pretend("901-renamed-columns-breaking");
  await expect(migrate(db, file)).rejects.toThrow(
    /A newer version has migrated the database \(901-renamed-columns-breaking\)/,
  );
});

test("migrating leaves the database's own time-out as it was", async () => {
  const { db } = await openTestDatabase();
  expect(await db.raw("pragma busy_timeout")).toEqual([{ timeout: 100 }]);
});
