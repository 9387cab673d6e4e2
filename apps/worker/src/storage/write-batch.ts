/**
 * The one way to write: a few statements, built beforehand, run as one immediate transaction with nothing awaited
 * inside. Immediate, because SQLite fails a deferred transaction that finds another writer when it first writes; built
 * beforehand, so that PostgreSQL could run the same list. No caller ever sees SQLITE_BUSY: the batch is tried again.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { SqliteHandle } from "@agent-paas/shared/db/open-database.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import type BetterSqlite3 from "better-sqlite3";
import type { Knex } from "knex";

export type WriteStatement = {
  readonly query: Knex.QueryBuilder;
  /** A guard must touch exactly one row; if it does not, nothing of the batch is kept (I4). */
  readonly guard?: boolean;
};

const GIVE_UP_AFTER_MS = 10 * SECOND;
const LONGEST_PAUSE_MS = 200;

/** How many prepared statements a handle keeps; the repositories have far fewer shapes. */
const MAX_PREPARED = 200;
const preparedByHandle = new WeakMap<SqliteHandle, Map<string, BetterSqlite3.Statement>>();

class GuardFailed extends Error {}

/**
 * Runs the statements in their order, all or none.
 * @param beforeCommit called inside the transaction, behind the last statement.
 * @returns false when a guard touched no row: what the batch stood on is no longer so, and nothing was written.
 * @throws `storage_unavailable` when the database stays locked or refuses.
 */
export async function writeBatch(
  db: Knex,
  statements: readonly WriteStatement[],
  beforeCommit: () => void = () => {},
): Promise<boolean> {
  const compiled = statements.map(({ query, guard }) => ({ ...query.toSQL().toNative(), guard: guard === true }));
  const giveUpAt = Date.now() + GIVE_UP_AFTER_MS;
  for (;;) {
    let handle: SqliteHandle | null = null;
    try {
      const acquired: SqliteHandle = await db.client.acquireConnection();
      handle = acquired;
      acquired
        .transaction(() => {
          for (const { sql, bindings, guard } of compiled) {
            const { changes } = prepare(acquired, sql).run(...bindings);
            if (guard && changes !== 1) throw new GuardFailed();
          }
          beforeCommit();
        })
        .immediate();
      return true;
    } catch (error) {
      if (error instanceof GuardFailed) return false;
      if (!isBusy(error) || Date.now() > giveUpAt) throw new PlatformError("storage_unavailable", { cause: error });
    } finally {
      if (handle !== null) await db.client.releaseConnection(handle);
    }
    await delay(Math.random() * LONGEST_PAUSE_MS);
  }
}

function prepare(handle: SqliteHandle, sql: string): BetterSqlite3.Statement {
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

const isBusy = (error: unknown): boolean =>
  error instanceof Error && "code" in error && /^SQLITE_(BUSY|LOCKED)/.test(String(error.code));
