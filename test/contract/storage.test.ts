/** SQLite keeps the contract of the storage port. */
import { existsSync } from "node:fs";
import { mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { openReadStorage, openStorage } from "@agent-paas/shared/db/open-storage.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { expect, onTestFinished, test } from "vitest";
import { migrate } from "../../apps/worker/src/storage/migrate.ts";
import { storageContract } from "./storage-contract.ts";
import type { OpenedStorage } from "./storage-parts.ts";

async function openSqlite(): Promise<OpenedStorage & { readonly file: string }> {
  const dir = await mkdtemp(join(tmpdir(), "agent-paas-db-"));
  const file = join(dir, "test.db");
  const url = pathToFileURL(file).href;
  const [storage, readStorage] = [openStorage(url), openReadStorage(url)];
  const cleanup = async () => {
    await readStorage.close();
    await storage.close();
    await rm(dir, { recursive: true });
  };
  return { url, storage, readStorage, cleanup, file };
}

storageContract("SQLite", async (state) => {
  const opened = await openSqlite();
  if (state === "empty") await migrate(opened.storage);
  return opened;
});

test("a reader's storage makes no file, and opens the one that a worker makes later", async () => {
  const { storage, readStorage, cleanup, file } = await openSqlite();
  onTestFinished(cleanup);
  const count = () => readStorage.read(async (table) => (await table("sessions")).length, -1);
  expect([await count(), existsSync(file)]).toEqual([-1, false]);
  await migrate(storage);
  expect(await count()).toBe(0);
});

test("a worker's storage whose file was moved away writes nothing more, and says so once", async () => {
  const { storage, cleanup, file } = await openSqlite();
  onTestFinished(cleanup);
  await migrate(storage);
  const reasons: string[] = [];
  const watching = storage.watch((reason) => reasons.push(reason));
  onTestFinished(() => watching.stop());
  await rename(file, `${file}.away`);
  const writes = [1, 2].map(() => storage.write([{ query: storage.table("sessions").delete() }]));
  for (const write of writes) await expect(write).rejects.toMatchObject({ code: "storage_unavailable" });
  // The handle stays on the file that was moved, so it is of no use when another one takes the place.
  await rename(`${file}.away`, file);
  expect(storage.displacement()).toMatch(/moved away/);
  expect(reasons).toHaveLength(1);
});

test("a reader's storage verifies every file that takes the place, and reads none that is refused", async () => {
  const [one, other] = [await openSqlite(), await openSqlite()];
  for (const { storage, cleanup } of [one, other]) {
    onTestFinished(cleanup);
    await migrate(storage);
  }
  const [own, foreign] = [await one.storage.installation(), await other.storage.installation()];
  // With its write-ahead log, which would otherwise be read as a part of the next file.
  await Promise.all([one.storage.close(), other.storage.close()]);
  const verified: string[] = [];
  const readStorage = openReadStorage(one.file, async (id) => {
    verified.push(id);
    if (id !== own) throw new PlatformError("database_unavailable");
  });
  onTestFinished(() => readStorage.close());
  const count = () => readStorage.read(async (table) => (await table("sessions")).length, -1);
  expect([await count(), await count(), verified]).toEqual([0, 0, [own]]);
  await rename(one.file, `${one.file}.away`);
  await expect(count()).rejects.toMatchObject({ code: "database_unavailable" });
  expect(readStorage.displacement()).toMatch(/moved away/);
  await rename(other.file, one.file);
  await expect(count()).rejects.toMatchObject({ code: "database_unavailable" });
  await rename(`${one.file}.away`, one.file);
  expect([await count(), verified]).toEqual([0, [own, foreign, own]]);
});
