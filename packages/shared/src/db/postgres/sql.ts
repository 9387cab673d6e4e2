import type { Sql } from "../queries.ts";
import type { PostgresDatabase } from "./connection.ts";

export const createPostgresSql = (db: PostgresDatabase): Sql => ({
  expression: (sql, bindings = []) => db.raw(sql, bindings),
  isOneOf: (column, texts) => db.raw("?? = any (?)", [column, texts]),
  hideFromPlanner: (value) => db.raw("?", [value]),
  positionOf: (column, text) => db.raw("strpos(lower(??), ?)", [column, text]),
  partialIndex: (columns, condition) => db.raw(`(${columns.join(", ")}) where ${condition}`),
  insertFrom: (table, columns, rows) => db(db.raw(`${table} (${columns.join(", ")})`)).insert(rows),
});
