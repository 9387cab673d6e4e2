/** Runs batches of statements in transactions. */
import type { Statement } from "../statement.ts";
import { type SqliteDatabase, type SqliteHandle, withHandle } from "./open-database.ts";
import { preparedOn } from "./prepared-statements.ts";

class GuardFailed extends Error {}

/** Writes a page that is on every disk and in every lock's way, and changes nothing. */
export function rewriteHeader(handle: SqliteHandle): void {
  const version = Number(handle.pragma("user_version", { simple: true }));
  handle.pragma(`user_version = ${version}`);
}

/** Whether each batch was written; of the others a guard failed. */
export const runGroup = (
  db: SqliteDatabase,
  group: readonly { readonly run: (handle: SqliteHandle) => void }[],
): Promise<boolean[]> =>
  withHandle(db, (handle) => {
    // Within a transaction, a further one is a savepoint.
    const run = handle.transaction((batch: (typeof group)[number]) => batch.run(handle));
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

/** Runs the statements of one batch; its guards fail it as a whole. */
export function runBatch(
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
