/** Workers that start at once migrate the database once, also when one of them has died during the migration. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { MIGRATIONS, migrate } from "../../apps/worker/src/storage/migrate.ts";
import { ROOT } from "../support/sources.ts";
import { openEmptyDatabase, openTestDatabase } from "../support/test-database.ts";

const MIGRATE = `
  const { openStorage } = await import("@agent-paas/shared/db/open-storage.ts");
  const { migrate } = await import(process.argv[2]);
  const storage = openStorage(process.argv[1]);
  await migrate(storage);
  await storage.close();
`;
const MIGRATE_MODULE = join(ROOT, "apps/worker/src/storage/migrate.ts");

const migrateInProcess = (file: string) =>
  promisify(execFile)(process.execPath, ["--input-type=module-typescript", "-e", MIGRATE, file, MIGRATE_MODULE], {
    cwd: ROOT,
  });

/** Writes until half a second after a migration has begun: far longer than the handle's busy time-out of 100 ms. */
const WRITE_DURING_MIGRATION = `
  const open = require("better-sqlite3");
  const sleep = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  const lock = open(process.argv[1] + ".migrate-lock", { timeout: 0 });
  const isMigrating = () => {
    try {
      lock.exec("begin exclusive; rollback");
      return false;
    } catch {
      return true;
    }
  };
  const database = open(process.argv[1]);
  database.exec("begin immediate");
  process.stdout.write("writing");
  while (!isMigrating()) sleep(5);
  sleep(500);
  database.exec("commit");
`;

test("six processes that migrate at once apply each migration once", async () => {
  const { file, db } = await openTestDatabase();
  const fresh = `${file}.fresh`;
  await Promise.all(Array.from({ length: 6 }, () => migrateInProcess(fresh)));
  await db.raw("attach database ? as fresh", [fresh]);
  const applied = await db("fresh.knex_migrations").orderBy("id").pluck("name");
  expect(applied).toEqual([...MIGRATIONS.keys()]);
});

test("the lock of a process that died during a migration does not stop the next", async () => {
  const { file, db } = await openTestDatabase();
  await db("knex_migrations_lock").update({ is_locked: 1 });
  await expect(migrateInProcess(file)).resolves.toBeDefined();
});

test("a migration waits while another worker writes", async () => {
  const { file, db, storage } = await openEmptyDatabase();
  const [former, last] = [[...MIGRATIONS].slice(0, -1), [...MIGRATIONS.keys()].at(-1)];
  await storage.migrate(new Map(former));
  const writer = spawn(process.execPath, ["-e", WRITE_DURING_MIGRATION, file], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(writer, "exit");
  await once(writer.stdout, "data");
  await migrate(storage);
  expect(await exited).toEqual([0, null]);
  expect(await db("knex_migrations").pluck("name")).toContain(last);
});

test("a migration leaves the busy time-out of the handle as it was", async () => {
  const { db } = await openTestDatabase();
  expect(await db.raw("pragma busy_timeout")).toEqual([{ timeout: 100 }]);
});
