/**
 * SQLite for the API: opened when the first worker has made the file, because only workers make it, and opened again
 * when another file has taken its place.
 */
import { existsSync } from "node:fs";
import { PlatformError } from "../../errors/platform-error.ts";
import { queryTables, type Sql, type Table } from "../queries.ts";
import type { ReadStorage, VerifyInstallation } from "../storage.ts";
import { openReadonlyDatabase, type SqliteDatabase } from "./open-database.ts";
import { displacementOf, type FileId, fileIdOf, type LogFiles, logFilesOf, removeLogFiles } from "./opened-file.ts";
import { createSqliteSql } from "./sql.ts";

type Opened = {
  readonly file: FileId;
  readonly db: SqliteDatabase;
  readonly table: Table;
  readonly sql: Sql;
  logFiles: LogFiles;
  /** The id that was verified; null until the database has one. */
  installation: string | null;
  /** The verification under way, shared by the reads that wait for it. */
  verifying: Promise<void> | null;
};

export function openSqliteReadStorage(file: string, verify: VerifyInstallation = async () => {}): ReadStorage {
  let opened: Opened | null = null;
  /** Why the file that was open is not there any more; null until then. */
  let displaced: string | null = null;
  let closed = Promise.resolve();

  function closeDisplaced(): void {
    if (opened === null) return;
    const { db, logFiles } = opened;
    const reason = displacementOf(file, opened.file, logFiles);
    if (reason === null) {
      // The handle finds or makes the log with its first statement, and keeps it as long as it is open.
      if (logFiles.size < 2) opened.logFiles = logFilesOf(file);
      return;
    }
    displaced = reason;
    opened = null;
    closed = closed.then(() => db.destroy()).catch(() => {});
    // At once where a new file stands. One that was moved away may come back, and its worker decides about the log.
    if (existsSync(file)) removeLogFiles(file, logFiles);
  }

  function findFile(): FileId | null {
    try {
      return fileIdOf(file);
    } catch (cause) {
      throw new PlatformError("database_unavailable", { cause });
    }
  }

  /** Null before a worker has made the file. Throws `database_unavailable` when the file is gone. */
  async function open(): Promise<Opened | null> {
    closeDisplaced();
    // SQLite shares one index of the log among the handles that a process has on a file, so the former closes first.
    await closed;
    if (opened !== null) return opened;
    const found = findFile();
    if (found === null) {
      if (displaced === null) return null;
      throw new PlatformError("database_unavailable", { cause: new Error(displaced) });
    }
    const db = openReadonlyDatabase(file);
    const parts = { db, table: queryTables(db), sql: createSqliteSql(db) };
    opened = { file: found, logFiles: new Map(), ...parts, installation: null, verifying: null };
    return opened;
  }

  async function readInstallation({ table }: Opened): Promise<string | null> {
    try {
      return (await table("installation").first())?.id ?? null;
    } catch (error) {
      // A database of an earlier version, or one that the first worker is about to migrate.
      if (isWithoutTable(error)) return null;
      throw error;
    }
  }

  async function verifyOnce(database: Opened): Promise<void> {
    if (database.installation !== null) return;
    database.verifying ??= (async () => {
      const id = await readInstallation(database);
      if (id === null) return;
      await verify(id);
      database.installation = id;
    })().finally(() => {
      database.verifying = null;
    });
    await database.verifying;
  }

  async function use<T>(query: (database: Opened) => Promise<T>, absent: T): Promise<T> {
    const database = await open();
    if (database === null) return absent;
    try {
      await verifyOnce(database);
      return await query(database);
    } catch (cause) {
      // The first worker has made the file and is about to make the tables.
      if (isWithoutTable(cause)) return absent;
      throw cause instanceof PlatformError ? cause : new PlatformError("database_unavailable", { cause });
    }
  }

  return {
    read: (query, absent) => use(({ table, sql }) => query(table, sql), absent),
    // Read anew: the file may be another one than at the last look.
    installation: () => use(readInstallation, null),
    displacement() {
      closeDisplaced();
      return existsSync(file) ? null : displaced;
    },
    async close() {
      await closed;
      await opened?.db.destroy();
    },
  };
}

const isWithoutTable = (error: unknown): boolean => error instanceof Error && error.message.includes("no such table");
