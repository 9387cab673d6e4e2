/** PostgreSQL keeps the contract of the storage port. */
import { openReadStorage, openStorage } from "@agent-paas/shared/db/open-storage.ts";
import { afterAll } from "vitest";
import { migrate } from "../../apps/worker/src/storage/migrate.ts";
import { createDatabase, queryOn } from "../support/postgres.ts";
import { sharedPostgres } from "../support/shared-postgres.ts";
import { storageContract } from "./storage-contract.ts";
import type { OpenedStorage, OpenStorage } from "./storage-parts.ts";

type Database = Awaited<ReturnType<typeof createDatabase>>;

/** To make and migrate a database costs more than most tests, so those that want empty tables share one. */
let shared: Promise<Database> | undefined;

afterAll(async () => (await shared)?.drop());

async function createMigrated(): Promise<Database> {
  const database = await createDatabase(await sharedPostgres());
  const storage = openStorage(database.url);
  await migrate(storage);
  await storage.close();
  return database;
}

/** Deletes all rows but those of the migrations and of the installation, which belong to the tables. */
const EMPTY = `do $$ declare name text; begin
  for name in select tablename from pg_tables
    where schemaname = 'public' and tablename <> 'installation' and tablename not like 'knex%'
  loop execute format('delete from %I', name); end loop;
end $$`;

const openPostgres: OpenStorage = async (state) => {
  if (state === "new") {
    const { url, drop } = await createDatabase(await sharedPostgres());
    return openAt(url, drop);
  }
  shared ??= createMigrated();
  const { url } = await shared;
  await queryOn(url, EMPTY);
  return openAt(url, async () => {});
};

function openAt(url: string, drop: () => Promise<void>): OpenedStorage {
  const [storage, readStorage] = [openStorage(url), openReadStorage(url)];
  const cleanup = async () => {
    await readStorage.close();
    await storage.close();
    await drop();
  };
  return { url, storage, readStorage, cleanup };
}

storageContract("PostgreSQL", openPostgres);
