/** Which database is behind the port. Only SQLite today: the configuration refuses other URLs by name. */
import { databaseFile } from "./sqlite/open-database.ts";
import { openSqliteReadStorage } from "./sqlite/read-storage.ts";
import { openSqliteStorage } from "./sqlite/storage.ts";
import type { ReadStorage, Storage, VerifyInstallation } from "./storage.ts";

/**
 * For workers, which alone write.
 * @param patienceMs how long writes and reads wait for the end of an outage.
 */
export const openStorage = (url: string, patienceMs?: number): Storage =>
  openSqliteStorage(databaseFile(url), patienceMs);

/** For the API: the connection itself refuses to write. */
export const openReadStorage = (url: string, verify?: VerifyInstallation): ReadStorage =>
  openSqliteReadStorage(databaseFile(url), verify);
