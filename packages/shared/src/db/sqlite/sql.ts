import type { Sql } from "../queries.ts";
import type { SqliteDatabase } from "./open-database.ts";

export const createSqliteSql = (db: SqliteDatabase): Sql => ({
  expression: (sql, bindings = []) => db.raw(sql, bindings),
  isOneOf: (column, texts) => db.raw("?? in (select value from json_each(?))", [column, texts]),
  // SQLite looks at values bound to a column of a table with a partial index, and prepares the statement anew for each
  // value; it does not look into an expression. PostgreSQL takes the value as it is.
  hideFromPlanner: (value) => db.raw("+?", [value]),
  positionOf: (column, text) => db.raw("instr(lower(??), ?)", [column, text]),
  partialIndex: (columns, condition) => db.raw(`(${columns.join(", ")}) where ${condition}`),
  insertFrom: (table, columns, rows) => db(db.raw(`${table} (${columns.join(", ")})`)).insert(rows),
});

/** What `isOneOf` binds. */
export const encodeArray = (value: unknown): unknown => (Array.isArray(value) ? JSON.stringify(value) : value);
