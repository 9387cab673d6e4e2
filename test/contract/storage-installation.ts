import { expect, onTestFinished, test } from "vitest";
import { migrate } from "../../apps/worker/src/storage/migrate.ts";
import { type OpenStorage, openMigrated, openParts } from "./storage-parts.ts";

export function installationContract(open: OpenStorage): void {
  test("a database has no installation before the first migration, and keeps the one that it gets", async () => {
    const { storage, readStorage, cleanup } = await open("new");
    onTestFinished(cleanup);
    expect([await storage.installation(), await readStorage.installation()]).toEqual([null, null]);
    await migrate(storage);
    const id = await storage.installation();
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    await migrate(storage);
    expect([await storage.installation(), await readStorage.installation()]).toEqual([id, id]);
  });

  test("two databases belong to two installations", async () => {
    const [one, other] = [await openMigrated(open), await openMigrated(open)];
    expect(await one.storage.installation()).not.toBe(await other.storage.installation());
  });

  test("a database that is where it was opened is not displaced", async () => {
    const { storage, readStorage } = await openParts(open);
    await readStorage.installation();
    expect([storage.displacement(), readStorage.displacement()]).toEqual([null, null]);
  });
}
