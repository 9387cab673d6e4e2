import type { Sql } from "../queries.ts";
import type { SqliteDatabase } from "./open-database.ts";

export const createSqliteSql = (db: SqliteDatabase): Sql => ({
  expression: (sql, bindings = []) => db.raw(sql, bindings),
  // SQLite looks at values bound to a column of a table with a partial index, and prepares the statement anew for each
  // value; it does not look into an expression. PostgreSQL takes the value as it is.
  hideFromPlanner: (value) => db.raw("+?", [value]),
  partialIndex: (columns, condition) => db.raw(`(${columns.join(", ")}) where ${condition}`),
  insertFrom: (table, columns, rows) => db(db.raw(`${table} (${columns.join(", ")})`)).insert(rows),
});
