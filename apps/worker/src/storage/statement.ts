/** Statements that run for every job: Knex builds their SQL once, and only the values change. */
import type { SqliteHandle } from "@agent-paas/shared/db/open-database.ts";
import type BetterSqlite3 from "better-sqlite3";
import type { Knex } from "knex";

export type Statement = { readonly sql: string; readonly bindings: readonly unknown[] };

/** How many prepared statements a handle keeps; the repositories have far fewer shapes. */
const MAX_PREPARED = 200;
const preparedByHandle = new WeakMap<SqliteHandle, Map<string, BetterSqlite3.Statement>>();

/** Stands for a value while the SQL is built. */
class Slot<Values> {
  readonly name: keyof Values;
  constructor(name: keyof Values) {
    this.name = name;
  }
}

/** @param build is called once, with values that may be passed on and nothing else. */
export function prepareStatement<Values extends object>(
  build: (values: Values) => Knex.QueryBuilder,
): (values: Values) => Statement {
  const slots = new Proxy({} as Values, { get: (_, name) => new Slot<Values>(name as keyof Values) });
  const { sql, bindings } = compile(build(slots));
  return (values) => ({
    sql,
    bindings: bindings.map((binding) => (binding instanceof Slot ? values[(binding as Slot<Values>).name] : binding)),
  });
}

/**
 * A bound value that SQLite does not look at. Of a table with a partial index it would, and prepare the statement anew for each
 * value.
 */
export const hideFromPlanner = (db: Knex, value: string): Knex.Raw =>
  db.raw(db.client.config.client === "better-sqlite3" ? "+?" : "?", [value]);

export const compile = (query: Knex.QueryBuilder): Statement => query.toSQL().toNative();

export async function readRows<Row>(db: Knex, { sql, bindings }: Statement): Promise<Row[]> {
  const handle: SqliteHandle = await db.client.acquireConnection();
  try {
    return preparedOn(handle, sql).all(...bindings) as Row[];
  } finally {
    await db.client.releaseConnection(handle);
  }
}

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
