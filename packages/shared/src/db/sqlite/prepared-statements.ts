/** SQLite's prepared statements, kept per handle: preparing one costs more than most runs of it. */
import type BetterSqlite3 from "better-sqlite3";
import type { SqliteHandle } from "./open-database.ts";

/** Prepared statements kept per handle; the repositories have far fewer shapes. */
const MAX_PREPARED = 200;
const preparedByHandle = new WeakMap<SqliteHandle, Map<string, BetterSqlite3.Statement>>();

export function preparedOn(handle: SqliteHandle, sql: string): BetterSqlite3.Statement {
  let prepared = preparedByHandle.get(handle);
  if (prepared === undefined || prepared.size >= MAX_PREPARED) {
    prepared = new Map();
    preparedByHandle.set(handle, prepared);
  }
  let statement = prepared.get(sql);
  if (statement === undefined) {
    statement = handle.prepare(sql);
    prepared.set(sql, statement);
  }
  return statement;
}
