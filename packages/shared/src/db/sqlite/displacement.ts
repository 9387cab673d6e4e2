/**
 * Notices that the file of a worker's storage was moved away, deleted or replaced, and parts the former file from its
 * path: SQLite finds the write-ahead log by the path, so whatever stood there next would be read with this one's log.
 */
import { existsSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { SECOND } from "../../time.ts";
import { openedFileOf, type SqliteDatabase, withHandle } from "./open-database.ts";
import { displacementOf, type LogFiles, logFilesOf, removeLogFiles } from "./opened-file.ts";

/** Between two looks while nothing is written, ms; every write looks by itself. */
const LOOK_EVERY_MS = SECOND;

/** How long the former file is waited for to become whole, which readers of old snapshots can prevent. */
const COPY_WITHIN_MS = 2 * SECOND;
const COPY_AGAIN_AFTER_MS = 50;

export type DisplacementCheck = {
  /** The reason, once there was one: the handle stays on the wrong file, even if the right one comes back. */
  displacement(): string | null;
  watch(onDisplaced: (reason: string) => void): { stop(): void };
  /** Resolves when a displaced file has been parted from its path. Call it before the handle is closed. */
  parted(): Promise<void>;
};

export function createDisplacementCheck(db: SqliteDatabase, file: string): DisplacementCheck {
  const listeners = new Set<(reason: string) => void>();
  let known: string | null = null;
  let logFiles: LogFiles = new Map();
  let parting = Promise.resolve();

  function displacement(): string | null {
    const opened = openedFileOf(db);
    if (known !== null || opened === undefined) return known;
    known = displacementOf(file, opened, logFiles);
    if (known === null) {
      // The handle makes the log with its first statement, and keeps it as long as it is open.
      if (logFiles.size < 2) logFiles = logFilesOf(file);
      return null;
    }
    parting = part();
    for (const listener of listeners) listener(known);
    return known;
  }

  async function part(): Promise<void> {
    // At once where a new file stands. One that was moved away may come back, and needs its log until it is whole.
    if (existsSync(file)) removeLogFiles(file, logFiles);
    if (await copyLog(db)) removeLogFiles(file, logFiles);
  }

  return {
    displacement,
    parted: () => parting,
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

/** Copies what the log holds into the opened file, wherever that is now. False if it could not become whole. */
async function copyLog(db: SqliteDatabase): Promise<boolean> {
  const giveUpAt = performance.now() + COPY_WITHIN_MS;
  do {
    try {
      const [state] = await withHandle(db, (handle) => handle.pragma("wal_checkpoint(PASSIVE)") as CheckpointState[]);
      if (state !== undefined && state.busy === 0 && state.checkpointed === state.log) return true;
    } catch {
      // Locked, or a disk that takes nothing.
    }
    await delay(COPY_AGAIN_AFTER_MS);
  } while (performance.now() < giveUpAt);
  return false;
}

/** `log` and `checkpointed` are numbers of pages, -1 without a log. */
type CheckpointState = { readonly busy: number; readonly log: number; readonly checkpointed: number };
