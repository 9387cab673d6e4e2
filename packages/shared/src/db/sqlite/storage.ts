/** SQLite behind the port. */
import { existsSync } from "node:fs";
import { DEFAULT_PATIENCE_MS, makeQueriesPatient, waitOut } from "../patience.ts";
import { queryTables } from "../queries.ts";
import { prepareStatement } from "../statement.ts";
import type { Storage } from "../storage.ts";
import { createDisplacementCheck } from "./displacement.ts";
import { migrateSqlite } from "./migrate.ts";
import { openWritableDatabase, type SqliteDatabase, withHandle } from "./open-database.ts";
import { isOutage } from "./outage.ts";
import { preparedOn } from "./prepared-statements.ts";
import { createSqliteSql, encodeArray } from "./sql.ts";
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
  // Nothing depends on a storage that starts, and what is damaged or locked for long is better said than waited out.
  let readPatienceMs = Math.min(patienceMs, DEFAULT_PATIENCE_MS);
  makeQueriesPatient(db, isOutage, () => readPatienceMs);
  const table = queryTables(db);
  const { displacement, watch, parted } = createDisplacementCheck(db, file);
  return {
    place: file,
    table,
    sql: createSqliteSql(db),
    prepareRead<Row, Values extends object>(build: Parameters<typeof prepareStatement<Values>>[0]) {
      const statementFor = prepareStatement(build, encodeArray);
      return (values: Values) => {
        const { sql, bindings } = statementFor(values);
        const read = () => withHandle(db, (handle) => preparedOn(handle, sql).all(...bindings) as Row[]);
        return waitOut(readPatienceMs, isOutage, read);
      };
    },
    prepareWrite: prepareStatement,
    ...createWriteQueue(db, patienceMs, displacement),
    async installation() {
      if (!existsSync(file) || !(await db.schema.hasTable("installation"))) return null;
      return (await table("installation").first())?.id ?? null;
    },
    displacement,
    watch,
    async migrate(migrations) {
      await migrateSqlite(db, file, migrations);
      readPatienceMs = patienceMs;
    },
    startCheckpoints: (logger) => startWalCheckpoint({ db, file, logger }),
    async close() {
      await parted();
      await db.destroy();
    },
  };
}
