/** SQLite for the API: opened when the first worker has made the file, because only workers make it. */
import { existsSync } from "node:fs";
import { PlatformError } from "../../errors/platform-error.ts";
import { queryTables, type Sql, type Table } from "../queries.ts";
import type { ReadStorage } from "../storage.ts";
import { openReadonlyDatabase, type SqliteDatabase } from "./open-database.ts";
import { createSqliteSql } from "./sql.ts";

type Opened = { readonly db: SqliteDatabase; readonly table: Table; readonly sql: Sql };

export function openSqliteReadStorage(file: string): ReadStorage {
  let opened: Opened | null = null;

  const open = (): Opened | null => {
    if (opened === null && existsSync(file)) {
      const db = openReadonlyDatabase(file);
      opened = { db, table: queryTables(db), sql: createSqliteSql(db) };
    }
    return opened;
  };

  return {
    async read(query, absent) {
      const database = open();
      if (database === null) return absent;
      try {
        return await query(database.table, database.sql);
      } catch (cause) {
        // The first worker has made the file and is about to make the tables.
        if (cause instanceof Error && cause.message.includes("no such table")) return absent;
        throw new PlatformError("database_unavailable", { cause });
      }
    },
    close: async () => {
      await opened?.db.destroy();
    },
  };
}
