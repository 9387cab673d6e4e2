/** How reads wait for the end of an outage of the database. Writes wait in the queue of their database. */
import { setTimeout as delay } from "node:timers/promises";
import type { Knex } from "knex";
import { SECOND } from "../time.ts";
import { StorageOutage } from "./storage-outage.ts";

/** How long writes and reads wait unless the caller says otherwise, and at most while a process starts. */
export const DEFAULT_PATIENCE_MS = 10 * SECOND;

const FIRST_PAUSE_MS = 100;
/** Each try on a locked SQLite file blocks the event loop for its busy time-out, so tries must be rare. */
const LONGEST_PAUSE_MS = SECOND;

/** Whether an error is a fault of the database, which passes without a change of the statement. */
export type IsOutage = (error: unknown) => boolean;

/** The pause before the next try, ms: it doubles, with jitter. */
export const outagePauseMs = (tries: number): number =>
  Math.random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** tries);

/** Runs a read, again and again while the database is out, for at most `patienceMs`. Throws `StorageOutage` then. */
export async function waitOut<T>(patienceMs: number, isOutage: IsOutage, read: () => Promise<T>): Promise<T> {
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
export function makeQueriesPatient(db: Knex, isOutage: IsOutage, patienceMs: () => number): void {
  const runnerOf: (query: unknown) => Runner = db.client.runner.bind(db.client);
  // A runner holds the connection, so each try has one of its own and leaves it to others meanwhile.
  db.client.runner = (query: unknown): Runner =>
    Object.assign(runnerOf(query), { run: () => waitOut(patienceMs(), isOutage, () => runnerOf(query).run()) });
}
