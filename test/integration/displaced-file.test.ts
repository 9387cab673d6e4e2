/**
 * A database file that is moved away or replaced under open handles: SQLite finds the write-ahead log by the path, so
 * the file that comes next must not be read with the former one's log, and the former one must be whole without it.
 */
import { existsSync } from "node:fs";
import { copyFile, rename } from "node:fs/promises";
import { openReadonlyDatabase, openWritableDatabase } from "@agent-paas/shared/db/sqlite/open-database.ts";
import { openSqliteReadStorage } from "@agent-paas/shared/db/sqlite/read-storage.ts";
import { createSqliteStorage } from "@agent-paas/shared/db/sqlite/storage.ts";
import { createRedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { pino } from "pino";
import { expect, onTestFinished, test } from "vitest";
import { startInstallationWatch } from "../../apps/worker/src/control/installation-watch.ts";
import { openEmptyDatabase, type TestDatabase } from "../support/test-database.ts";

const insert = (id: string) => ({ query: { sql: "insert into sessions values (?)", bindings: [id] } });

/** With one row in the file and, so that the log holds something, another one in the log. */
async function openRows(): Promise<TestDatabase> {
  const database = await openEmptyDatabase();
  const { db, storage, file } = database;
  await db.raw("create table sessions (id)");
  await storage.write([insert("in the file")]);
  await db.raw("pragma wal_checkpoint(TRUNCATE)");
  await copyFile(file, `${file}.copy`);
  await storage.write([insert("in the log")]);
  return database;
}

async function rowsIn(file: string): Promise<string[]> {
  const db = openReadonlyDatabase(file);
  const rows: { id: string }[] = await db("sessions").select("id");
  expect(await db.raw("pragma integrity_check")).toEqual([{ integrity_check: "ok" }]);
  await db.destroy();
  return rows.map(({ id }) => id);
}

/** A second worker or an API on the same file, inside this process. */
async function openAnother(file: string) {
  const db = openWritableDatabase(file);
  const storage = createSqliteStorage(db, file);
  onTestFinished(() => storage.close());
  await db.raw("select 1 from sessions");
  expect(storage.displacement()).toBe(null);
  return storage;
}

test("a file that replaces another one is read without its log, also while a reader holds that log", async () => {
  const { storage, file } = await openRows();
  const reader = openReadonlyDatabase(file);
  onTestFinished(() => reader.destroy());
  const snapshot = await reader.transaction();
  await snapshot("sessions").select("id");
  await storage.write([insert("after the snapshot")]);

  await rename(file, `${file}.former`);
  await rename(`${file}.copy`, file);
  expect(storage.displacement()).toContain("replaced");
  expect(await rowsIn(file)).toEqual(["in the file"]);
  const successor = await openAnother(file);
  await successor.write([insert("by the successor")]);

  await snapshot.rollback();
  await storage.close();
  expect(await rowsIn(file)).toEqual(["in the file", "by the successor"]);
  expect(await rowsIn(`${file}.former`)).toEqual(["in the file", "in the log", "after the snapshot"]);
});

test("an API that finds a file replaced reads it without the log of the former one", async () => {
  const { file } = await openRows();
  const reads = openSqliteReadStorage(file);
  onTestFinished(() => reads.close());
  const count = () => reads.read(async (table) => (await table("sessions").select("id")).length, 0);
  expect([await count(), await count()]).toEqual([2, 2]);
  await rename(`${file}.copy`, file);
  expect(await count()).toBe(1);
});

test("a file that is moved away takes its log with it, so that another one may stand at its path", async () => {
  const { storage, file } = await openRows();
  await rename(file, `${file}.former`);
  expect(storage.displacement()).toContain("moved away");
  await storage.close();
  expect([existsSync(`${file}-wal`), existsSync(`${file}-shm`)]).toEqual([false, false]);
  expect(await rowsIn(`${file}.former`)).toEqual(["in the file", "in the log"]);
  await rename(`${file}.copy`, file);
  expect(await rowsIn(file)).toEqual(["in the file"]);
});

test("a worker learns of a file that was displaced before it began to watch, and can stop watching", async () => {
  const { storage, file } = await openRows();
  await rename(file, `${file}.away`);
  expect(storage.displacement()).toContain("moved away");
  const lost = new Promise<void>((resolve) => {
    startInstallationWatch({
      storage,
      inRedis: { claim: async (id) => id },
      keys: createRedisKeys("t"),
      id: "i",
      onLost: resolve,
      logger: pino({ enabled: false }),
    });
  });
  await lost;
});

test("a worker that did not see its file moved away and back refuses to write beside the log of the others", async () => {
  const { storage, file } = await openRows();
  const late = await openAnother(file);
  await rename(file, `${file}.away`);
  expect(storage.displacement()).not.toBe(null);
  await storage.close();
  await rename(`${file}.away`, file);
  await expect(late.write([insert("into a log without a name")])).rejects.toMatchObject({
    code: "storage_unavailable",
  });
  expect(late.displacement()).toContain("write-ahead log");
  expect(await rowsIn(file)).toEqual(["in the file", "in the log"]);
});
