/** What of a failing disk meets only some writes must not hold up the others. */
import { open } from "node:fs/promises";
import { openWritableDatabase, type SqliteDatabase, withHandle } from "@agent-paas/shared/db/sqlite/open-database.ts";
import { createWriteQueue } from "@agent-paas/shared/db/sqlite/write-queue.ts";
import { StorageOutage } from "@agent-paas/shared/db/storage-outage.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import { describe, expect, onTestFinished, test } from "vitest";
import { openEmptyDatabase } from "../support/test-database.ts";

const PATIENCE_MS = 2 * SECOND;

const insertInto = (table: string, value: string) => [
  { query: { sql: `insert into ${table} values (?)`, bindings: [value] } },
];

async function reopen(file: string): Promise<SqliteDatabase> {
  const db = openWritableDatabase(file);
  onTestFinished(() => db.destroy());
  return db;
}

/** Overwrites the first page of the table, so that every statement on it fails and the others do not. */
async function damage(file: string, root: number, pageBytes: number): Promise<void> {
  const handle = await open(file, "r+");
  await handle.write(Buffer.alloc(pageBytes, 0xff), 0, pageBytes, (root - 1) * pageBytes);
  await handle.close();
}

async function openWithDamagedTable(): Promise<SqliteDatabase> {
  const { db, file, storage } = await openEmptyDatabase();
  await db.raw("create table sound (value)");
  await db.raw("create table damaged (value)");
  await db.raw("pragma wal_checkpoint(TRUNCATE)");
  const [{ rootpage }] = await db.raw("select rootpage from sqlite_master where name = 'damaged'");
  const [{ page_size }] = await db.raw("pragma page_size");
  await storage.close();
  await damage(file, rootpage, page_size);
  return reopen(file);
}

describe("batches on a damaged page", () => {
  test("a batch on a damaged page holds up no other, and fails by itself when its patience is over", async () => {
    const { write, canWrite } = createWriteQueue(await openWithDamagedTable(), PATIENCE_MS);
    let isSettled = false;
    const doomed = write(insertInto("damaged", "x"))
      .catch((error: unknown) => error)
      .finally(() => {
        isSettled = true;
      });
    const others = Array.from({ length: 20 }, (_, at) => write(insertInto("sound", `${at}`)));
    expect(await Promise.all(others)).toEqual(Array(20).fill(true));
    expect(isSettled).toBe(false);
    expect(await write(insertInto("sound", "later"))).toBe(true);
    expect(canWrite()).toBe(true);
    const error = await doomed;
    expect(error).toMatchObject({ code: "storage_unavailable" });
    expect(error).not.toBeInstanceOf(StorageOutage);
  });

  test("a table that no batch can be written to is an outage", async () => {
    const { write } = createWriteQueue(await openWithDamagedTable(), PATIENCE_MS);
    const all = Array.from({ length: 5 }, () => write(insertInto("damaged", "x")));
    const outcomes = await Promise.allSettled(all);
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ status: "rejected", reason: expect.any(StorageOutage) });
    }
  });
});

test("a batch that is too large for what is left of the disk holds up no smaller one", async () => {
  const { db } = await openEmptyDatabase();
  await db.raw("create table sound (value)");
  await db.raw("pragma max_page_count = 1000");
  const { write } = createWriteQueue(db, 10 * PATIENCE_MS);
  const large = write(insertInto("sound", "x".repeat(8_000_000)));
  const small = Array.from({ length: 20 }, (_, at) => write(insertInto("sound", `${at}`)));
  expect(await Promise.all(small)).toEqual(Array(20).fill(true));
  large.catch(() => {});
  await withHandle(db, (handle) => expect(handle.prepare("select count(*) from sound").pluck().get()).toBe(20));
});
