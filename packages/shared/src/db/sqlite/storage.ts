/** SQLite behind the port. */
import { queryTables } from "../queries.ts";
import { prepareStatement } from "../statement.ts";
import type { Storage } from "../storage.ts";
import { migrateSqlite } from "./migrate.ts";
import { openWritableDatabase, type SqliteDatabase, withHandle } from "./open-database.ts";
import { preparedOn } from "./prepared-statements.ts";
import { createSqliteSql } from "./sql.ts";
import { startWalCheckpoint } from "./wal-checkpoint.ts";
import { createWriteQueue } from "./write-queue.ts";

export const openSqliteStorage = (file: string): Storage => createSqliteStorage(openWritableDatabase(file), file);

/** @param db is opened on `file` by `openWritableDatabase`, and closed with the storage. */
export function createSqliteStorage(db: SqliteDatabase, file: string): Storage {
  return {
    table: queryTables(db),
    sql: createSqliteSql(db),
    prepareRead<Row, Values extends object>(build: Parameters<typeof prepareStatement<Values>>[0]) {
      const statementFor = prepareStatement(build);
      return (values: Values) => {
        const { sql, bindings } = statementFor(values);
        return withHandle(db, (handle) => preparedOn(handle, sql).all(...bindings) as Row[]);
      };
    },
    prepareWrite: prepareStatement,
    write: createWriteQueue(db),
    migrate: (migrations) => migrateSqlite(db, file, migrations),
    startCheckpoints: (logger) => startWalCheckpoint({ db, file, logger }),
    close: () => db.destroy(),
  };
}
