/** Outages of SQLite: which errors are one. */

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
