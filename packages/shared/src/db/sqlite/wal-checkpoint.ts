/**
 * Keeps the write-ahead log bounded. Commits copy it into the database by themselves, but it starts anew only in a
 * moment in which nobody reads it: readers that overlap, or one that keeps its snapshot open, let it grow without end.
 * So every worker measures it at intervals, and one that finds it too large waits for such a moment, no longer than the
 * handle's busy time-out; writers wait as long and try again.
 */
import { stat } from "node:fs/promises";
import type { Logger } from "../../logging/logger.ts";
import { logRepeatedly } from "../../logging/repeated-warnings.ts";
import { SECOND } from "../../time.ts";
import type { Checkpoints } from "../storage.ts";
import { type SqliteDatabase, WAL_LIMIT_BYTES, withHandle } from "./open-database.ts";

const CHECK_EVERY_MS = 5 * SECOND;
/** The log at so many times its limit is worth a warning: somebody has been reading all the time. */
const WARN_BEYOND = 4;

export type WalCheckpointOptions = {
  readonly db: SqliteDatabase;
  readonly file: string;
  readonly logger: Logger;
  readonly limitBytes?: number;
  readonly everyMs?: number;
};

export function startWalCheckpoint(options: WalCheckpointOptions): Checkpoints {
  const { db, file, logger, limitBytes = WAL_LIMIT_BYTES, everyMs = CHECK_EVERY_MS } = options;

  async function check(): Promise<void> {
    try {
      const bytes = (await stat(`${file}-wal`)).size;
      if (bytes <= limitBytes) return;
      const startedAt = performance.now();
      const outcome = await truncate(db);
      const facts = { bytes, ms: Math.round(performance.now() - startedAt) };
      if (outcome === "truncated") logger.info(facts, "the write-ahead log was cut");
      else if (outcome === "read" && bytes > WARN_BEYOND * limitBytes) {
        logRepeatedly(
          logger,
          "warn",
          facts,
          "the write-ahead log grows: a reader keeps its snapshot of the database open",
        );
      }
    } catch (err) {
      logRepeatedly(logger, "warn", { err }, "the write-ahead log could not be cut");
    }
  }

  let checking = Promise.resolve();
  const timer = setInterval(() => {
    checking = checking.then(check);
  }, everyMs);
  return {
    async stop() {
      clearInterval(timer);
      await checking;
    },
  };
}

/** `read`: a reader kept the log from starting anew; `contended`: another process was writing or truncating. */
const truncate = (db: SqliteDatabase): Promise<"truncated" | "read" | "contended"> =>
  withHandle(db, (handle) => {
    // A checkpoint that could not finish is no error to SQLite: its row says so. One that could not begin has log < 0.
    const [row] = handle.pragma("wal_checkpoint(TRUNCATE)") as { busy: number; log: number }[];
    if (row?.busy === 0) return "truncated";
    return row === undefined || row.log < 0 ? "contended" : "read";
  });
