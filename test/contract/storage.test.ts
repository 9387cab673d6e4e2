/** SQLite keeps the contract of the storage port. */
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { openReadStorage, openStorage } from "@agent-paas/shared/db/open-storage.ts";
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
  return { storage, readStorage, cleanup, file };
}

storageContract("SQLite", openSqlite);

test("a reader's storage makes no file, and opens the one that a worker makes later", async () => {
  const { storage, readStorage, cleanup, file } = await openSqlite();
  onTestFinished(cleanup);
  const count = () => readStorage.read(async (table) => (await table("sessions")).length, -1);
  expect([await count(), existsSync(file)]).toEqual([-1, false]);
  await migrate(storage);
  expect(await count()).toBe(0);
});
