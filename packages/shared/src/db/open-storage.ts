/** Which database is behind the port: `DATABASE_URL` says it, and nothing else of the product knows. */
import { dirname } from "node:path";
import type { CommonConfig } from "../config/common-config.ts";
import { databaseFile } from "../config/database-url.ts";
import { isPostgresUrl } from "../config/postgres-url.ts";
import { ConfigError } from "../config/read-config.ts";
import { folderProblem } from "../files/folders.ts";
import { closeToOthers } from "../files/private-files.ts";
import { openPostgresReadStorage } from "./postgres/read-storage.ts";
import { openPostgresStorage, type PostgresLimits } from "./postgres/storage.ts";
import { openSqliteReadStorage } from "./sqlite/read-storage.ts";
import { openSqliteStorage } from "./sqlite/storage.ts";
import type { ReadStorage, Storage, VerifyInstallation } from "./storage.ts";

/**
 * For workers, which alone write.
 * @param patienceMs how long writes and reads wait for the end of an outage.
 */
export const openStorage = (url: string, patienceMs?: number, limits?: PostgresLimits): Storage =>
  isPostgresUrl(url) ? openPostgresStorage(url, patienceMs, limits) : openSqliteStorage(databaseFile(url), patienceMs);

/** For the API: the connection itself refuses to write. */
export const openReadStorage = (url: string, verify?: VerifyInstallation, limits?: PostgresLimits): ReadStorage =>
  isPostgresUrl(url) ? openPostgresReadStorage(url, verify, limits) : openSqliteReadStorage(databaseFile(url), verify);

/** What the settings say of the connections to a server. */
export const limitsOf = (
  config: Pick<CommonConfig, "DATABASE_POOL_SIZE" | "DATABASE_STATEMENT_TIMEOUT_MS">,
): PostgresLimits => ({
  maxConnections: config.DATABASE_POOL_SIZE,
  statementTimeoutMs: config.DATABASE_STATEMENT_TIMEOUT_MS,
});

/** For workers, before they start. Throws a `ConfigError` for a place where no database can ever be. */
export function assertDatabasePlace(url: string): void {
  if (isPostgresUrl(url)) return;
  const folder = dirname(databaseFile(url));
  const problem = folderProblem(folder);
  if (problem === null) return;
  throw new ConfigError([`DATABASE_URL: ${folder} cannot be used as the folder of the database: ${problem}`]);
}

/** What a former version made for everybody to read. SQLite makes the files beside the database as open as it is. */
const SQLITE_FILES = ["", "-wal", "-shm", ".migrate-lock"] as const;

/** For workers, once the database exists. Returns the files that other users can read all the same. */
export const closeDatabaseToOthers = (url: string): string[] =>
  isPostgresUrl(url)
    ? []
    : SQLITE_FILES.map((suffix) => databaseFile(url) + suffix).filter((file) => !closeToOthers(file));
