/** Opens the SQLite file through Knex with the pragmas that several processes on one file need. */
import type BetterSqlite3 from "better-sqlite3";
import knex, { type Knex } from "knex";
import { SECOND } from "../../time.ts";
import { type FileId, fileIdOf } from "./opened-file.ts";

/** An open file: builds queries, and lends out its one handle. */
export type SqliteDatabase = Knex;

export type SqliteHandle = BetterSqlite3.Database;

/** The first version without a fault of the write-ahead log that can corrupt a file under several connections. */
export const MIN_SQLITE_VERSION = "3.51.3";

/** The write-ahead log is truncated to this size when it starts anew; a worker makes a larger one start anew. */
export const WAL_LIMIT_BYTES = 64 * 1_024 * 1_024;

/** For workers. One connection: SQLite has one writer at a time, and its statements run synchronously. */
export function openWritableDatabase(file: string): SqliteDatabase {
  return open(file, { readonly: false }, [
    "journal_mode = WAL",
    "synchronous = NORMAL",
    "foreign_keys = ON",
    `journal_size_limit = ${WAL_LIMIT_BYTES}`,
    "temp_store = MEMORY",
    "cache_size = -16000",
    // SQLite's busy wait blocks the event loop, so it is short; the write queue tries again after a random pause.
    "busy_timeout = 100",
  ]);
}

/** For the API: the handle itself refuses to write. The file must exist. */
export function openReadonlyDatabase(file: string): SqliteDatabase {
  return open(file, { readonly: true, fileMustExist: true }, ["busy_timeout = 100", "query_only = ON"]);
}

/** Runs `use` with the one handle of the database; whoever asks meanwhile waits. */
export async function withHandle<T>(db: SqliteDatabase, use: (handle: SqliteHandle) => T): Promise<T> {
  const handle: SqliteHandle = await db.client.acquireConnection();
  try {
    return use(handle);
  } finally {
    await db.client.releaseConnection(handle);
  }
}

/** The file that each database opened first, however often its handle is opened again. */
const openedFiles = new WeakMap<SqliteDatabase, FileId>();

/** Undefined until the handle was first used. */
export const openedFileOf = (db: SqliteDatabase): FileId | undefined => openedFiles.get(db);

function open(file: string, options: object, pragmas: readonly string[]): SqliteDatabase {
  const db = knex({
    client: "better-sqlite3",
    connection: { filename: file, options },
    useNullAsDefault: true,
    // Knex prints to the console what it throws as well, which would pass the log and its redaction.
    log: { warn: () => {}, error: () => {}, deprecate: () => {}, debug: () => {} },
    acquireConnectionTimeout: 5 * SECOND,
    pool: {
      min: 1,
      max: 1,
      afterCreate: (handle: SqliteHandle, done: (error: Error | null, handle: SqliteHandle) => void) => {
        try {
          assertVersion(handle);
          for (const pragma of pragmas) handle.pragma(pragma);
          const opened = fileIdOf(file);
          if (opened !== null && !openedFiles.has(db)) openedFiles.set(db, opened);
          done(null, handle);
        } catch (error) {
          done(error as Error, handle);
        }
      },
    },
  });
  return db;
}

function assertVersion(handle: SqliteHandle): void {
  const version = handle.prepare("select sqlite_version()").pluck().get() as string;
  if (isTooOld(version)) throw new Error(`SQLite ${version} is too old; ${MIN_SQLITE_VERSION} is needed`);
}

export function isTooOld(version: string): boolean {
  const [actual = 0, least = 0] = [version, MIN_SQLITE_VERSION].map((text) =>
    text.split(".").reduce((sum, part) => sum * 1_000 + Number(part), 0),
  );
  return actual < least;
}
