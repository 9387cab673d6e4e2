/** PostgreSQL keeps the contract of the storage port. */
import { openReadStorage, openStorage } from "@agent-paas/shared/db/open-storage.ts";
import { createDatabase } from "../support/postgres.ts";
import { sharedPostgres } from "../support/shared-postgres.ts";
import { storageContract } from "./storage-contract.ts";
import type { OpenedStorage } from "./storage-parts.ts";

async function openPostgres(): Promise<OpenedStorage> {
  const { url, drop } = await createDatabase(await sharedPostgres());
  const [storage, readStorage] = [openStorage(url), openReadStorage(url)];
  const cleanup = async () => {
    await readStorage.close();
    await storage.close();
    await drop();
  };
  return { url, storage, readStorage, cleanup };
}

storageContract("PostgreSQL", openPostgres);
