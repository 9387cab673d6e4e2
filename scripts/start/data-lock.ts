/**
 * Allows one platform per data folder: two platforms would run two Redis servers on the same files.
 *
 * Invariant: the lock is the operating system's lock on an open file (taken by SQLite, which works on every platform),
 * so it ends with its process, even after a crash; a leftover file alone locks nothing.
 */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { UsageError } from "./options.ts";

/** Undefined when another process holds the lock. */
export function lockDataDir(dir: string): Disposable | undefined {
  const file = openLock(join(dir, "start.lock"));
  try {
    file.exec("BEGIN EXCLUSIVE");
    return { [Symbol.dispose]: () => file.close() };
  } catch (error) {
    file.close();
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return undefined;
    throw error;
  }
}

function openLock(file: string): DatabaseSync {
  try {
    return new DatabaseSync(file);
  } catch (error) {
    throw new UsageError(`DATA_DIR: ${file} cannot be made: ${(error as Error).message}`);
  }
}

const SQLITE_BUSY = 5;
