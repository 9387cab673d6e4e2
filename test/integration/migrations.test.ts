/** Several workers start at once: the database is migrated once, whoever comes first and whoever died on the way. */
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

test("six processes at once", async () => {
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

test("a process that died in the middle leaves no lock behind", async () => {
  const { file, db } = await openTestDatabase();
  await db("knex_migrations_lock").update({ is_locked: 1 });
  await expect(migrateInProcess(file)).resolves.toBeDefined();
});
