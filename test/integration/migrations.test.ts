/** Workers that start at once migrate the database once, also when one of them has died during the migration. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { ROOT } from "../support/sources.ts";
import { openTestDatabase } from "../support/test-database.ts";

const MIGRATE = `
  const { openWritableDatabase } = await import("@agent-paas/shared/db/open-database.ts");
  const { migrate } = await import(process.argv[2]);
  const db = openWritableDatabase(process.argv[1]);
  await migrate(db, process.argv[1]);
  await db.destroy();
`;
const MIGRATE_MODULE = join(ROOT, "apps/worker/src/storage/migrate.ts");

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
    "007-glossary-names",
  ]);
});

test("the lock of a process that died during a migration does not stop the next", async () => {
  const { file, db } = await openTestDatabase();
  await db("knex_migrations_lock").update({ is_locked: 1 });
  await expect(migrateInProcess(file)).resolves.toBeDefined();
});
