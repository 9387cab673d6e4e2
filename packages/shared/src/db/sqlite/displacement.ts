/** Notices that the file of a worker's storage was moved away, deleted or replaced. */
import { SECOND } from "../../time.ts";
import { openedFileOf, type SqliteDatabase, withHandle } from "./open-database.ts";
import { displacementOf, fileIdOf } from "./opened-file.ts";

/** Between two looks while nothing is written, ms; every write looks by itself. */
const LOOK_EVERY_MS = SECOND;

export type DisplacementCheck = {
  /** The reason, once there was one: the handle stays on the wrong file, even if the right one comes back. */
  displacement(): string | null;
  watch(onDisplaced: (reason: string) => void): { stop(): void };
};

/**
 * The write-ahead log at the path belongs to the former file, and SQLite does not remove it with that file: whoever
 * opens the new file would read it as a part of that one. It stays when the path names no file, because the former file
 * may come back, and is not whole without it.
 */
async function emptyLog(db: SqliteDatabase): Promise<void> {
  // The handle is of no other use any more, so nothing depends on it.
  await withHandle(db, (handle) => handle.pragma("wal_checkpoint(TRUNCATE)")).catch(() => {});
}

export function createDisplacementCheck(db: SqliteDatabase, file: string): DisplacementCheck {
  const listeners = new Set<(reason: string) => void>();
  let known: string | null = null;

  function displacement(): string | null {
    const opened = openedFileOf(db);
    if (known !== null || opened === undefined) return known;
    known = displacementOf(file, opened);
    if (known === null) return null;
    if (fileIdOf(file) !== null) void emptyLog(db);
    for (const listener of listeners) listener(known);
    return known;
  }

  return {
    displacement,
    watch(onDisplaced) {
      listeners.add(onDisplaced);
      if (known !== null) onDisplaced(known);
      const timer = setInterval(displacement, LOOK_EVERY_MS);
      return {
        stop() {
          clearInterval(timer);
          listeners.delete(onDisplaced);
        },
      };
    },
  };
}
