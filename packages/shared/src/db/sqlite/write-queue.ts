/**
 * Runs batches, each as statements built beforehand, in immediate transactions with nothing awaited inside. Immediate,
 * because SQLite fails a deferred transaction that finds another writer at its first write.
 *
 * Batches that are written in one iteration of the event loop share a transaction, each with a savepoint of its own:
 * under load the commit costs more than the statements.
 *
 * While the database is out (locked, its disk full or failing), batches wait in the queue, each for as long as it is
 * patient. One try at a time stands for all of them, because a try on a locked database blocks the event loop.
 */
import { setTimeout as delay, setImmediate as nextIteration } from "node:timers/promises";
import { PlatformError } from "../../errors/platform-error.ts";
import { SECOND } from "../../time.ts";
import { compile, type Statement } from "../statement.ts";
import type { Storage } from "../storage.ts";
import { StorageOutage } from "../storage-outage.ts";
import { type SqliteDatabase, type SqliteHandle, withHandle } from "./open-database.ts";
import { isOutage, outagePauseMs } from "./outage.ts";
import { preparedOn } from "./prepared-statements.ts";

type Batch = {
  readonly run: (handle: SqliteHandle) => void;
  readonly giveUpAt: number;
  readonly resolve: (isWritten: boolean) => void;
  readonly reject: (error: PlatformError) => void;
};

/** A larger transaction would block the event loop for too long; after an outage thousands of batches may wait. */
const MAX_GROUP = 256;

/** Writers that wait for each other fail for a moment; that is no outage yet. */
const REPORT_AFTER_MS = 2 * SECOND;

class GuardFailed extends Error {}

export type WriteQueue = Pick<Storage, "write" | "canWrite" | "probe">;

/**
 * @param patienceMs how long a batch waits for the end of an outage.
 * @param displacement a reason for which nothing may be written any more.
 */
export function createWriteQueue(
  db: SqliteDatabase,
  patienceMs: number,
  displacement: () => string | null = () => null,
): WriteQueue {
  let waiting: Batch[] = [];
  let isDraining = false;
  let failingSince: number | null = null;
  let lastWrittenAt = Number.NEGATIVE_INFINITY;

  function enqueue(run: Batch["run"], waitMs: number): Promise<boolean> {
    return new Promise((resolve, reject) => {
      waiting.push({ run, giveUpAt: performance.now() + waitMs, resolve, reject });
      if (isDraining) return;
      isDraining = true;
      void drain();
    });
  }

  async function drain(): Promise<void> {
    for (let failures = 0; waiting.length > 0; ) {
      await nextIteration();
      const group = waiting.splice(0, MAX_GROUP);
      const outage = await writeGroup(group);
      if (outage === null) {
        failures = 0;
        continue;
      }
      waiting.unshift(...group);
      rejectExpired(outage);
      if (waiting.length > 0) await delay(outagePauseMs(failures++));
    }
    isDraining = false;
  }

  function rejectExpired(outage: unknown): void {
    const now = performance.now();
    const expired = waiting.filter(({ giveUpAt }) => giveUpAt <= now);
    waiting = waiting.filter(({ giveUpAt }) => giveUpAt > now);
    for (const { reject } of expired) reject(new StorageOutage(outage));
  }

  /** Settles the batches and removes them from the group. Returns the error if the database is out. */
  async function writeGroup(group: Batch[]): Promise<unknown> {
    try {
      const reason = displacement();
      if (reason !== null) throw new Error(reason);
      const written = await runGroup(db, group);
      failingSince = null;
      lastWrittenAt = performance.now();
      for (const [at, { resolve }] of group.splice(0).entries()) resolve(written[at] ?? false);
      return null;
    } catch (error) {
      if (isOutage(error)) {
        failingSince ??= performance.now();
        return error;
      }
      const [first] = group;
      if (group.length === 1 && first !== undefined) {
        group.length = 0;
        first.reject(new PlatformError("storage_unavailable", { cause: error }));
        return null;
      }
    }
    // A statement that one batch brought must not fail the others, so each is tried alone.
    while (group[0] !== undefined) {
      const alone = [group[0]];
      const outage = await writeGroup(alone);
      if (outage !== null) return outage;
      group.shift();
    }
    return null;
  }

  return {
    write(statements, beforeCommit = () => {}) {
      const compiled = statements.map(({ query, guard }) => ({
        ...("sql" in query ? query : compile(query)),
        guard: guard === true,
      }));
      return enqueue((handle) => runBatch(handle, compiled, beforeCommit), patienceMs);
    },

    canWrite: () => failingSince === null || performance.now() - failingSince < REPORT_AFTER_MS,

    async probe(idleMs) {
      // Batches that wait are tried anyway, and a recent write has proved it.
      if (isDraining || performance.now() - lastWrittenAt < idleMs) return;
      await enqueue(rewriteHeader, 0).catch(() => {});
    },
  };
}

/** Writes a page that is on every disk and in every lock's way, and changes nothing. */
function rewriteHeader(handle: SqliteHandle): void {
  const version = Number(handle.pragma("user_version", { simple: true }));
  handle.pragma(`user_version = ${version}`);
}

/** Whether each batch was written; of the others a guard failed. */
const runGroup = (db: SqliteDatabase, group: readonly Batch[]): Promise<boolean[]> =>
  withHandle(db, (handle) => {
    // Within a transaction, a further one is a savepoint.
    const run = handle.transaction((batch: Batch) => batch.run(handle));
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

function runBatch(
  handle: SqliteHandle,
  statements: readonly (Statement & { readonly guard: boolean })[],
  beforeCommit: () => void,
): void {
  for (const { sql, bindings, guard } of statements) {
    const { changes } = preparedOn(handle, sql).run(...bindings);
    if (guard && changes !== 1) throw new GuardFailed();
  }
  beforeCommit();
}
