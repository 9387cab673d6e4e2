/**
 * Runs batches, each as statements built beforehand, in immediate transactions with nothing awaited inside. Immediate,
 * because SQLite fails a deferred transaction that finds another writer at its first write. No caller sees
 * SQLITE_BUSY: the transaction is tried again.
 *
 * Batches that are written in one iteration of the event loop share a transaction, each with a savepoint of its own:
 * under load the commit costs more than the statements.
 */
import { setTimeout as delay } from "node:timers/promises";
import { PlatformError } from "../../errors/platform-error.ts";
import { SECOND } from "../../time.ts";
import { compile, type Statement } from "../statement.ts";
import type { Storage } from "../storage.ts";
import { type SqliteDatabase, type SqliteHandle, withHandle } from "./open-database.ts";
import { preparedOn } from "./prepared-statements.ts";

type Batch = {
  readonly statements: readonly (Statement & { readonly guard: boolean })[];
  readonly beforeCommit: () => void;
  readonly resolve: (isWritten: boolean) => void;
  readonly reject: (error: PlatformError) => void;
};

const GIVE_UP_AFTER_MS = 10 * SECOND;
const LONGEST_PAUSE_MS = 200;

class GuardFailed extends Error {}

/** @param displacement a reason for which nothing may be written any more. */
export function createWriteQueue(db: SqliteDatabase, displacement: () => string | null = () => null): Storage["write"] {
  /** The batches of this iteration of the event loop. */
  let waiting: Batch[] | null = null;

  return (statements, beforeCommit = () => {}) => {
    const compiled = statements.map(({ query, guard }) => ({
      ...("sql" in query ? query : compile(query)),
      guard: guard === true,
    }));
    return new Promise((resolve, reject) => {
      const batch = { statements: compiled, beforeCommit, resolve, reject };
      if (waiting !== null) {
        waiting.push(batch);
        return;
      }
      const group = [batch];
      waiting = group;
      setImmediate(() => {
        waiting = null;
        void writeGroup(db, group, displacement);
      });
    });
  };
}

/** Settles every batch of the group. */
async function writeGroup(
  db: SqliteDatabase,
  group: readonly Batch[],
  displacement: () => string | null,
): Promise<void> {
  try {
    const written = await whileBusy(() => {
      const reason = displacement();
      if (reason !== null) throw new Error(reason);
      return runGroup(db, group);
    });
    for (const [at, { resolve }] of group.entries()) resolve(written[at] ?? false);
  } catch (error) {
    // A statement that one batch brought must not fail the others, so each is tried alone. A lock or a missing handle
    // would fail each of them again.
    const isOfOneBatch = group.length > 1 && !isBusy(error) && !isTimeout(error);
    if (isOfOneBatch) for (const batch of group) await writeGroup(db, [batch], displacement);
    else rejectGroup(group, error);
  }
}

function rejectGroup(group: readonly Batch[], cause: unknown): void {
  for (const { reject } of group) reject(new PlatformError("storage_unavailable", { cause }));
}

async function whileBusy<T>(run: () => Promise<T>): Promise<T> {
  const giveUpAt = performance.now() + GIVE_UP_AFTER_MS;
  for (;;) {
    try {
      return await run();
    } catch (error) {
      if (!isBusy(error) || performance.now() > giveUpAt) throw error;
    }
    await delay(Math.random() * LONGEST_PAUSE_MS);
  }
}

/** Whether each batch was written; of the others a guard failed. */
const runGroup = (db: SqliteDatabase, group: readonly Batch[]): Promise<boolean[]> =>
  withHandle(db, (handle) => {
    // Within a transaction, a further one is a savepoint.
    const run = handle.transaction((batch: Batch) => runBatch(handle, batch));
    return handle.transaction(() => group.map((batch) => passesGuards(() => run(batch)))).immediate();
  });

function passesGuards(run: () => void): boolean {
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

/** The handle itself could not be acquired in time. */
const isTimeout = (error: unknown): boolean => error instanceof Error && error.name === "KnexTimeoutError";
