/** Outages of the database: which errors are one, and how reads wait for its end. Writes wait in the write queue. */
import { setTimeout as delay } from "node:timers/promises";
import { SECOND } from "../../time.ts";
import { StorageOutage } from "../storage-outage.ts";
import type { SqliteDatabase } from "./open-database.ts";

/** How long writes and reads wait unless the caller says otherwise, and at most while a process starts. */
export const DEFAULT_PATIENCE_MS = 10 * SECOND;

const FIRST_PAUSE_MS = 100;
/** Each try on a locked database blocks the event loop for SQLite's busy time-out, so tries must be rare. */
const LONGEST_PAUSE_MS = SECOND;

/**
 * Faults of the file, its disk or its locks, which pass without a change of the statement. A damaged file is among
 * them: it may be restored, and no statement is at fault.
 */
const OUTAGE_CODES = /^SQLITE_(BUSY|LOCKED|FULL|IOERR|READONLY|CANTOPEN|CORRUPT|NOTADB|PROTOCOL|NOMEM|PERM)/;

export function isOutage(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  // Knex could not acquire the handle in time.
  return error.name === "KnexTimeoutError" || ("code" in error && OUTAGE_CODES.test(String(error.code)));
}

/** One that meets every statement, whatever it writes. A full disk or a damaged page may meet only some. */
const WHOLE_OUTAGE_CODES = /^SQLITE_(BUSY|LOCKED|READONLY|CANTOPEN|NOTADB|PROTOCOL|PERM)/;

export const isWholeOutage = (error: unknown): boolean =>
  isOutage(error) && !(error instanceof Error && "code" in error && !WHOLE_OUTAGE_CODES.test(String(error.code)));

/** The pause before the next try, ms: it doubles, with jitter. */
export const outagePauseMs = (tries: number): number =>
  Math.random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** tries);

/** Runs a read, again and again while the database is out, for at most `patienceMs`. Throws `StorageOutage` then. */
export async function waitOut<T>(patienceMs: number, read: () => Promise<T>): Promise<T> {
  const giveUpAt = performance.now() + patienceMs;
  for (let tries = 0; ; tries++) {
    try {
      return await read();
    } catch (error) {
      if (!isOutage(error)) throw error;
      if (performance.now() > giveUpAt) throw new StorageOutage(error);
    }
    await delay(outagePauseMs(tries));
  }
}

type Runner = { run(): Promise<unknown> };

/** Makes the queries that are awaited themselves wait too. Knex makes a runner for each. */
export function makeQueriesPatient(db: SqliteDatabase, patienceMs: () => number): void {
  const runnerOf: (query: unknown) => Runner = db.client.runner.bind(db.client);
  // A runner holds the handle, so each try has one of its own and leaves the handle to others meanwhile.
  db.client.runner = (query: unknown): Runner =>
    Object.assign(runnerOf(query), { run: () => waitOut(patienceMs(), () => runnerOf(query).run()) });
}
