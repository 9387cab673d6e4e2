/**
 * Keeps the write-ahead log bounded. Commits copy it into the database by themselves, but it starts anew only in a moment
 * in which nobody reads it: readers that take turns, or one that keeps its snapshot open, let it grow without end. So
 * every worker looks now and then, and whoever finds it too large waits for that moment, no longer than the handle's busy
 * time-out; writers wait as long and try again (`writeBatch`).
 */
import { stat } from "node:fs/promises";
import { type SqliteHandle, WAL_LIMIT_BYTES } from "@agent-paas/shared/db/open-database.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import type { Knex } from "knex";

const LOOK_EVERY_MS = 5 * SECOND;
/** A log of so many times the limit is worth a word to the operator: somebody has been reading all the time. */
const WARN_BEYOND = 4;

export type WalCheckpointOptions = {
  readonly db: Knex;
  readonly file: string;
  readonly logger: Logger;
  readonly limitBytes?: number;
  readonly everyMs?: number;
};

export function startWalCheckpoint(options: WalCheckpointOptions): { stop(): Promise<void> } {
  const { db, file, logger, limitBytes = WAL_LIMIT_BYTES, everyMs = LOOK_EVERY_MS } = options;

  async function look(): Promise<void> {
    try {
      const bytes = (await stat(`${file}-wal`)).size;
      if (bytes <= limitBytes) return;
      const startedAt = performance.now();
      const outcome = await truncate(db);
      const facts = { bytes, ms: Math.round(performance.now() - startedAt) };
      if (outcome === "cut") logger.info(facts, "the write-ahead log was cut");
      else if (outcome === "read" && bytes > WARN_BEYOND * limitBytes) {
        logger.warn(facts, "the write-ahead log grows: a reader keeps its snapshot of the database open");
      }
    } catch (err) {
      logger.warn({ err }, "the write-ahead log could not be cut");
    }
  }

  let looking = Promise.resolve();
  const timer = setInterval(() => {
    looking = looking.then(look);
  }, everyMs);
  return {
    async stop() {
      clearInterval(timer);
      await looking;
    },
  };
}

/** `read`: a reader was in the way; `contended`: another process was at the log. */
async function truncate(db: Knex): Promise<"cut" | "read" | "contended"> {
  const handle: SqliteHandle = await db.client.acquireConnection();
  try {
    // A checkpoint that could not finish is no error to SQLite: its row tells. One that could not begin has no frames.
    const [row] = handle.pragma("wal_checkpoint(TRUNCATE)") as { busy: number; log: number }[];
    if (row?.busy === 0) return "cut";
    return row === undefined || row.log < 0 ? "contended" : "read";
  } finally {
    await db.client.releaseConnection(handle);
  }
}
