/**
 * SQLite for the API: opened when the first worker has made the file, because only workers make it, and opened again
 * when another file has taken its place.
 */
import { PlatformError } from "../../errors/platform-error.ts";
import { queryTables, type Sql, type Table } from "../queries.ts";
import type { ReadStorage, VerifyInstallation } from "../storage.ts";
import { openReadonlyDatabase, type SqliteDatabase } from "./open-database.ts";
import { displacementOf, type FileId, fileIdOf } from "./opened-file.ts";
import { createSqliteSql } from "./sql.ts";

type Opened = {
  readonly file: FileId;
  readonly db: SqliteDatabase;
  readonly table: Table;
  readonly sql: Sql;
  /** The id that was verified; null until the database has one. */
  installation: string | null;
  /** The verification under way, shared by the reads that wait for it. */
  verifying: Promise<void> | null;
};

export function openSqliteReadStorage(file: string, verify: VerifyInstallation = async () => {}): ReadStorage {
  let opened: Opened | null = null;
  let closed = Promise.resolve();

  /** Null before a worker has made the file. Throws `database_unavailable` when the file is gone. */
  function open(): Opened | null {
    const found = fileIdOf(file);
    if (opened !== null) {
      const displacement = displacementOf(file, opened.file);
      if (displacement === null) return opened;
      if (found === null) throw new PlatformError("database_unavailable", { cause: new Error(displacement) });
      const { db: former } = opened;
      closed = closed.then(() => former.destroy()).catch(() => {});
      opened = null;
    }
    if (found === null) return null;
    const db = openReadonlyDatabase(file);
    opened = { file: found, db, table: queryTables(db), sql: createSqliteSql(db), installation: null, verifying: null };
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
    const database = open();
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
    // Read anew: a file that has just replaced another one may be read with the write-ahead log of the former.
    installation: () => use(readInstallation, null),
    displacement: () => (opened !== null && fileIdOf(file) === null ? displacementOf(file, opened.file) : null),
    async close() {
      await closed;
      await opened?.db.destroy();
    },
  };
}

const isWithoutTable = (error: unknown): boolean => error instanceof Error && error.message.includes("no such table");
