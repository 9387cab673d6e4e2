/**
 * Runs batches, each as statements built beforehand, in immediate transactions with nothing awaited inside. Immediate,
 * because SQLite fails a deferred transaction that finds another writer at its first write.
 *
 * Batches that are written in one iteration of the event loop share a transaction, each with a savepoint of its own:
 * under load the commit costs more than the statements.
 *
 * While the database is out (locked, its disk full or failing), batches wait in the queue, each for as long as it is
 * patient. One try at a time stands for all of them, because a try on a locked database blocks the event loop. A batch
 * that fails while others are written (on a damaged page, or too large for what is left of the disk) waits alone.
 */
import { setTimeout as delay, setImmediate as nextIteration } from "node:timers/promises";
import { PlatformError } from "../../errors/platform-error.ts";
import { SECOND } from "../../time.ts";
import { outagePauseMs } from "../patience.ts";
import { compile } from "../statement.ts";
import type { Storage } from "../storage.ts";
import { StorageOutage } from "../storage-outage.ts";
import type { SqliteDatabase, SqliteHandle } from "./open-database.ts";
import { isOutage, isWholeOutage } from "./outage.ts";
import { rewriteHeader, runBatch, runGroup } from "./write-batch.ts";

type Batch = {
  readonly run: (handle: SqliteHandle) => void;
  readonly giveUpAt: number;
  /** How often it failed alone, while others were written. */
  failures: number;
  readonly resolve: (isWritten: boolean) => void;
  readonly reject: (error: PlatformError) => void;
};

/** A larger transaction would block the event loop for too long; after an outage thousands of batches may wait. */
const MAX_GROUP = 256;

/** After so many batches of which each failed alone, and none was written, the database is out. */
const FAILURES_OF_OUTAGE = 3;

/** Writers that wait for each other fail for a moment; that is no outage yet. */
const REPORT_AFTER_MS = 2 * SECOND;

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
      add({ run, giveUpAt: performance.now() + waitMs, failures: 0, resolve, reject });
    });
  }

  function add(batch: Batch): void {
    waiting.push(batch);
    if (isDraining) return;
    isDraining = true;
    void drain();
  }

  async function drain(): Promise<void> {
    for (let failures = 0; waiting.length > 0; ) {
      await nextIteration();
      const group = takeGroup();
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

  function takeGroup(): Batch[] {
    const failedAt = waiting.findIndex(({ failures }) => failures > 0);
    return waiting.splice(0, failedAt === -1 ? MAX_GROUP : Math.min(MAX_GROUP, Math.max(1, failedAt)));
  }

  function rejectExpired(outage: unknown): void {
    const now = performance.now();
    const expired = waiting.filter(({ giveUpAt }) => giveUpAt <= now);
    waiting = waiting.filter(({ giveUpAt }) => giveUpAt > now);
    for (const { reject } of expired) reject(new StorageOutage(outage));
  }

  /** The database takes other writes, so the fault is this batch's: it may end its job, which an outage must not. */
  function setAside(batch: Batch, cause: unknown): void {
    const leftMs = batch.giveUpAt - performance.now();
    if (leftMs > 0) setTimeout(add, Math.min(leftMs, outagePauseMs(batch.failures++)), batch);
    else batch.reject(new PlatformError("storage_unavailable", { cause }));
  }

  /**
   * Settles the batches that can be settled. Returns the error if the database is out; the group is what is left then.
   */
  async function writeGroup(group: Batch[]): Promise<unknown> {
    const error = await tryGroup(group);
    if (error === null) return null;
    if (isWholeOutage(error)) return reportOutage(error);
    const [first] = group;
    if (group.length > 1 || first === undefined) return writeAlone(group);
    if (!isOutage(error)) first.reject(new PlatformError("storage_unavailable", { cause: error }));
    else if (first.failures > 0) setAside(first, error);
    else return reportOutage(error);
    group.length = 0;
    return null;
  }

  /** What one batch brought must not fail the others. */
  async function writeAlone(group: Batch[]): Promise<unknown> {
    const untried = group.splice(0);
    const failed: { readonly batch: Batch; readonly error: unknown }[] = [];
    let isWritable = false;
    while (untried[0] !== undefined && (isWritable || failed.length < FAILURES_OF_OUTAGE)) {
      const [batch] = untried;
      const error = await tryGroup([batch]);
      if (error !== null && isWholeOutage(error)) {
        group.push(...untried, ...failed.map((failure) => failure.batch));
        return reportOutage(error);
      }
      untried.shift();
      if (error === null) isWritable = true;
      else if (isOutage(error)) failed.push({ batch, error });
      else batch.reject(new PlatformError("storage_unavailable", { cause: error }));
    }
    if (isWritable || failed[0] === undefined) {
      for (const { batch, error } of failed) setAside(batch, error);
      return null;
    }
    group.push(...untried, ...failed.map(({ batch }) => batch));
    return reportOutage(failed[0].error);
  }

  function reportOutage(error: unknown): unknown {
    failingSince ??= performance.now();
    return error;
  }

  /** Writes the group in one transaction and resolves its batches; returns the error if it could not be written. */
  async function tryGroup(group: readonly Batch[]): Promise<unknown> {
    try {
      const reason = displacement();
      if (reason !== null) throw new Error(reason);
      const written = await runGroup(db, group);
      failingSince = null;
      lastWrittenAt = performance.now();
      for (const [at, { resolve }] of group.entries()) resolve(written[at] ?? false);
      return null;
    } catch (error) {
      return error;
    }
  }

  return {
    write(statements, { beforeCommit = () => {} } = {}) {
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
