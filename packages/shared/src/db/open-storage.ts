/** Which database is behind the port. Only SQLite today: the configuration refuses other URLs by name. */
import { dirname } from "node:path";
import { databaseFile } from "../config/database-url.ts";
import { ConfigError } from "../config/read-config.ts";
import { folderProblem } from "../files/folders.ts";
import { closeToOthers } from "../files/private-files.ts";
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

/** For workers, before they start. Throws a `ConfigError` for a place where no database can ever be. */
export function assertDatabasePlace(url: string): void {
  const folder = dirname(databaseFile(url));
  const problem = folderProblem(folder);
  if (problem === null) return;
  throw new ConfigError([`DATABASE_URL: ${folder} cannot be used as the folder of the database: ${problem}`]);
}

/** What a former version made for everybody to read. SQLite makes the files beside the database as open as it is. */
const SQLITE_FILES = ["", "-wal", "-shm", ".migrate-lock"] as const;

/** For workers, once the database exists. Returns the files that other users can read all the same. */
export const closeDatabaseToOthers = (url: string): string[] =>
  SQLITE_FILES.map((suffix) => databaseFile(url) + suffix).filter((file) => !closeToOthers(file));
