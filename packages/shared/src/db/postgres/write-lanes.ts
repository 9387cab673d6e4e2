/**
 * Runs batches, each in a transaction and in one round trip, a bounded number at once: PostgreSQL runs them side by
 * side and flushes the commits of many together. Further batches wait in their order.
 *
 * While the database is out (it restarts, fails over, is out of reach or full), batches wait, each for as long as it is
 * patient. Where the connection is at fault, so is it for all batches, and each lane tries the next one again after a
 * pause; what only one batch meets (a lock that an operator holds, a damaged page) waits alone, and the others pass.
 */
import { setTimeout as delay } from "node:timers/promises";
import { PlatformError } from "../../errors/platform-error.ts";
import { SECOND } from "../../time.ts";
import { outagePauseMs } from "../patience.ts";
import type { Query } from "../queries.ts";
import { compile } from "../statement.ts";
import type { Storage, WriteOptions, WriteStatement } from "../storage.ts";
import { StorageOutage } from "../storage-outage.ts";
import { type PostgresDatabase, withConnection } from "./connection.ts";
import { isConflict, isConnectionFault, isGuardFailure, isOutage, isUnanswered } from "./outage.ts";
import { type PipelineStatement, runPipeline } from "./pipeline.ts";
import { encodeText } from "./texts.ts";

type Batch = {
  readonly statements: readonly PipelineStatement[];
  readonly beforeCommit: (() => void) | undefined;
  readonly written: (() => Query) | undefined;
  readonly giveUpAt: number;
  /** How often it failed. */
  failures: number;
  /** A former try broke off while the server may have committed. */
  mayBeWritten: boolean;
  readonly resolve: (isWritten: boolean) => void;
  readonly reject: (error: PlatformError) => void;
};

/** A server that restarts fails everything for a moment; that is no outage yet. */
const REPORT_AFTER_MS = 2 * SECOND;

/** Two batches with one name wait here for each other's end; other applications may lock numbers as well. */
const TURN = {
  sql: "select pg_advisory_xact_lock(hashtextextended($1, 0))",
  name: "turn",
  guard: false,
} as const;

/** Touches a row that every database has, and changes nothing. */
const PROBE = { sql: "update installation set id = id", name: "probe", bindings: [], guard: false } as const;

export type WriteLanes = Pick<Storage, "write" | "canWrite" | "probe">;

export type WriteLanesOptions = {
  readonly db: PostgresDatabase;
  /** How many batches are written at once. */
  readonly lanes: number;
  /** How long a batch waits for the end of an outage. */
  readonly patienceMs: number;
  /** A reason for which nothing may be written any more. */
  readonly displacement: () => string | null;
};

export function createWriteLanes({ db, lanes, patienceMs, displacement }: WriteLanesOptions): WriteLanes {
  let waiting: Batch[] = [];
  /** By name, the batches behind one that is not settled yet. */
  const behind = new Map<string, Batch[]>();
  let running = 0;
  let failingSince: number | null = null;
  let lastWrittenAt = Number.NEGATIVE_INFINITY;

  function enqueue(statements: readonly PipelineStatement[], waitMs: number, options: WriteOptions): Promise<boolean> {
    const { beforeCommit, written, inOrder } = options;
    const settled = new Promise<boolean>((resolve, reject) => {
      const giveUpAt = performance.now() + waitMs;
      const batch = { statements, beforeCommit, written, giveUpAt, failures: 0, mayBeWritten: false, resolve, reject };
      const queue = inOrder === undefined ? undefined : behind.get(inOrder);
      if (queue !== undefined) queue.push(batch);
      else add(batch);
      if (inOrder !== undefined && queue === undefined) behind.set(inOrder, []);
    });
    if (inOrder !== undefined) void settled.catch(() => {}).then(() => followUp(inOrder));
    return settled;
  }

  function followUp(name: string): void {
    const next = behind.get(name)?.shift();
    if (next === undefined) behind.delete(name);
    else add(next, "first");
  }

  function add(batch: Batch, place: "first" | "last" = "last"): void {
    if (place === "first") waiting.unshift(batch);
    else waiting.push(batch);
    if (running < lanes) void runLane();
  }

  async function runLane(): Promise<void> {
    running += 1;
    for (let batch = waiting.shift(); batch !== undefined; batch = waiting.shift()) {
      const pauseMs = await runBatch(batch);
      if (pauseMs > 0) await delay(pauseMs);
    }
    running -= 1;
  }

  /** Settles the batch or lets it wait. Returns how long the lane pauses. */
  async function runBatch(batch: Batch): Promise<number> {
    const reason = displacement();
    if (reason !== null) {
      batch.reject(new PlatformError("storage_unavailable", { cause: new Error(reason) }));
      return 0;
    }
    try {
      const isWritten = await tryBatch(batch);
      failingSince = null;
      lastWrittenAt = performance.now();
      batch.resolve(isWritten);
      return 0;
    } catch (error) {
      if (!isOutage(error)) {
        batch.reject(new PlatformError("storage_unavailable", { cause: error }));
        return 0;
      }
      return postpone(batch, error);
    }
  }

  async function tryBatch(batch: Batch): Promise<boolean> {
    try {
      await withConnection(db, async (connection) => {
        try {
          await runPipeline(connection, batch.statements, batch.beforeCommit);
        } catch (error) {
          // A connection that could not be had has written nothing; one that broke may have.
          if (isUnanswered(error)) batch.mayBeWritten = true;
          throw error;
        }
      });
      return true;
    } catch (error) {
      if (!isGuardFailure(error)) throw error;
      return batch.mayBeWritten && batch.written !== undefined && (await batch.written().first()) !== undefined;
    }
  }

  function postpone(batch: Batch, error: unknown): number {
    const pauseMs = outagePauseMs(batch.failures++);
    if (!isConnectionFault(error)) {
      const leftMs = batch.giveUpAt - performance.now();
      if (leftMs <= 0) batch.reject(new StorageOutage(error));
      else setTimeout(add, Math.min(leftMs, isConflict(error) ? pauseMs / 10 : pauseMs), batch);
      return 0;
    }
    failingSince ??= performance.now();
    waiting.unshift(batch);
    rejectExpired(error);
    return pauseMs;
  }

  function rejectExpired(outage: unknown): void {
    const now = performance.now();
    const expired = waiting.filter(({ giveUpAt }) => giveUpAt <= now);
    if (expired.length === 0) return;
    waiting = waiting.filter(({ giveUpAt }) => giveUpAt > now);
    for (const { reject } of expired) reject(new StorageOutage(outage));
  }

  return {
    write(statements, options = {}) {
      const turn = options.inTurn === undefined ? [] : [{ ...TURN, bindings: [encodeText(options.inTurn)] }];
      return enqueue([...turn, ...statements.map(compiled)], patienceMs, options);
    },

    canWrite: () => failingSince === null || performance.now() - failingSince < REPORT_AFTER_MS,

    async probe(idleMs) {
      // Batches that wait are tried anyway, and a recent write has proved it.
      if (waiting.length > 0 || performance.now() - lastWrittenAt < idleMs) return;
      await enqueue([PROBE], 0, {}).catch(() => {
        failingSince ??= performance.now();
      });
    },
  };
}

const compiled = ({ query, guard }: WriteStatement): PipelineStatement => ({
  ...("sql" in query ? query : compile(query)),
  guard: guard === true,
});
