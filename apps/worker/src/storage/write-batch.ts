/**
 * The one way to write: a few statements, built beforehand, run as one immediate transaction with nothing awaited
 * inside. Immediate, because SQLite fails a deferred transaction that finds another writer when it first writes; built
 * beforehand, so that PostgreSQL could run the same list. No caller ever sees SQLITE_BUSY: the batch is tried again.
 *
 * Batches that are written in one turn of the event loop share a transaction, each with a savepoint of its own: under load
 * the commit costs more than the statements.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { SqliteHandle } from "@agent-paas/shared/db/open-database.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import type { Knex } from "knex";
import { compile, preparedOn, type Statement } from "./statement.ts";

export type WriteStatement = {
  readonly query: Knex.QueryBuilder | Statement;
  /** A guard must touch exactly one row; if it does not, nothing of the batch is kept (I4). */
  readonly guard?: boolean;
};

type Batch = {
  readonly statements: readonly (Statement & { readonly guard: boolean })[];
  readonly beforeCommit: () => void;
  readonly resolve: (written: boolean) => void;
  readonly reject: (error: PlatformError) => void;
};

const GIVE_UP_AFTER_MS = 10 * SECOND;
const LONGEST_PAUSE_MS = 200;

/** What is to be written in this turn of the event loop. */
const waiting = new WeakMap<Knex, Batch[]>();

class GuardFailed extends Error {}

/**
 * Runs the statements in their order, all or none.
 * @param beforeCommit called inside the transaction, behind the last statement.
 * @returns false when a guard touched no row: what the batch stood on is no longer so, and nothing was written.
 * @throws `storage_unavailable` when the database stays locked or refuses.
 */
export function writeBatch(
  db: Knex,
  statements: readonly WriteStatement[],
  beforeCommit: () => void = () => {},
): Promise<boolean> {
  const compiled = statements.map(({ query, guard }) => ({
    ...("sql" in query ? query : compile(query)),
    guard: guard === true,
  }));
  return new Promise((resolve, reject) => {
    const batch = { statements: compiled, beforeCommit, resolve, reject };
    const others = waiting.get(db);
    if (others !== undefined) {
      others.push(batch);
      return;
    }
    const group = [batch];
    waiting.set(db, group);
    setImmediate(() => {
      waiting.delete(db);
      void writeGroup(db, group);
    });
  });
}

/** Settles every batch of the group. */
async function writeGroup(db: Knex, group: readonly Batch[]): Promise<void> {
  try {
    const written = await whileBusy(() => runGroup(db, group));
    for (const [at, { resolve }] of group.entries()) resolve(written[at] ?? false);
  } catch (error) {
    // What is one batch's own fault must not be the others': each is tried alone. What all have met, none meets again.
    const isOfOne = group.length > 1 && !isBusy(error) && !isTimeout(error);
    if (isOfOne) for (const batch of group) await writeGroup(db, [batch]);
    else for (const { reject } of group) reject(new PlatformError("storage_unavailable", { cause: error }));
  }
}

async function whileBusy<T>(run: () => Promise<T>): Promise<T> {
  const giveUpAt = Date.now() + GIVE_UP_AFTER_MS;
  for (;;) {
    try {
      return await run();
    } catch (error) {
      if (!isBusy(error) || Date.now() > giveUpAt) throw error;
    }
    await delay(Math.random() * LONGEST_PAUSE_MS);
  }
}

/** Which batches were written; the others' guards touched no row. */
async function runGroup(db: Knex, group: readonly Batch[]): Promise<boolean[]> {
  const handle: SqliteHandle = await db.client.acquireConnection();
  try {
    // Within a transaction, one more is a savepoint.
    const run = handle.transaction((batch: Batch) => runBatch(handle, batch));
    return handle.transaction(() => group.map((batch) => isKept(() => run(batch)))).immediate();
  } finally {
    await db.client.releaseConnection(handle);
  }
}

function isKept(run: () => void): boolean {
  try {
    run();
    return true;
  } catch (error) {
    if (error instanceof GuardFailed) return false;
    throw error;
  }
}

function runBatch(handle: SqliteHandle, { statements, beforeCommit }: Batch): void {
  for (const { sql, bindings, guard } of statements) {
    const { changes } = preparedOn(handle, sql).run(...bindings);
    if (guard && changes !== 1) throw new GuardFailed();
  }
  beforeCommit();
}

const isBusy = (error: unknown): boolean =>
  error instanceof Error && "code" in error && /^SQLITE_(BUSY|LOCKED)/.test(String(error.code));

/** The handle itself was not to be had. */
const isTimeout = (error: unknown): boolean => error instanceof Error && error.name === "KnexTimeoutError";
