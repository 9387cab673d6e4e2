/** SQLite behind the port. */
import { queryTables } from "../queries.ts";
import { prepareStatement } from "../statement.ts";
import type { Storage } from "../storage.ts";
import { migrateSqlite } from "./migrate.ts";
import { openWritableDatabase, type SqliteDatabase, withHandle } from "./open-database.ts";
import { DEFAULT_PATIENCE_MS, makeQueriesPatient, waitOut } from "./outage.ts";
import { preparedOn } from "./prepared-statements.ts";
import { createSqliteSql } from "./sql.ts";
import { startWalCheckpoint } from "./wal-checkpoint.ts";
import { createWriteQueue } from "./write-queue.ts";

export const openSqliteStorage = (file: string, patienceMs?: number): Storage =>
  createSqliteStorage(openWritableDatabase(file), file, patienceMs);

/**
 * @param db is opened on `file` by `openWritableDatabase`, and closed with the storage.
 * @param patienceMs how long writes and reads wait for the end of an outage.
 */
export function createSqliteStorage(
  db: SqliteDatabase,
  file: string,
  patienceMs: number = DEFAULT_PATIENCE_MS,
): Storage {
  makeQueriesPatient(db, patienceMs);
  return {
    table: queryTables(db),
    sql: createSqliteSql(db),
    prepareRead<Row, Values extends object>(build: Parameters<typeof prepareStatement<Values>>[0]) {
      const statementFor = prepareStatement(build);
      return (values: Values) => {
        const { sql, bindings } = statementFor(values);
        const read = () => withHandle(db, (handle) => preparedOn(handle, sql).all(...bindings) as Row[]);
        return waitOut(patienceMs, read);
      };
    },
    prepareWrite: prepareStatement,
    ...createWriteQueue(db, patienceMs),
    migrate: (migrations) => migrateSqlite(db, file, migrations),
    startCheckpoints: (logger) => startWalCheckpoint({ db, file, logger }),
    close: () => db.destroy(),
  };
}
