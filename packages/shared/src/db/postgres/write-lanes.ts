/**
 * Runs batches in transactions of one round trip each, a bounded number at once: PostgreSQL runs them side by side and
 * flushes the commits of many together. Further batches wait in their order.
 *
 * Under load a round trip and its commit cost more than the statements, so batches share them: those of one iteration
 * of the event loop, and those that come while others are on their way, for some milliseconds. If one of a group fails
 * or waits for a lock, nothing of the group is written, and each is run alone.
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
  /** It shares its transaction with no other. */
  isAlone: boolean;
  /** How often it failed. */
  failures: number;
  /** A former try broke off while the server may have committed. */
  mayBeWritten: boolean;
  readonly resolve: (isWritten: boolean) => void;
  readonly reject: (error: PlatformError) => void;
};

/** A server that restarts fails everything for a moment; that is no outage yet. */
const REPORT_AFTER_MS = 2 * SECOND;

/** How long batches gather while others are on their way, ms. */
const GATHER_MS = 5;

/** After an outage thousands of batches may wait; a transaction keeps its rows locked. */
const MAX_GROUP = 64;

/** A group that waits longer for a lock holds up those that need none. Less than until a look for deadlocks, ms. */
const GROUP_LIMIT = { sql: "set local lock_timeout = 200", name: "group", bindings: [], guard: false } as const;

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
  /** When batches that gather get a lane. */
  let soon: NodeJS.Immediate | undefined;
  let later: NodeJS.Timeout | undefined;
  let failingSince: number | null = null;
  let lastWrittenAt = Number.NEGATIVE_INFINITY;

  function enqueue(statements: readonly PipelineStatement[], waitMs: number, options: WriteOptions): Promise<boolean> {
    const { beforeCommit, written, inOrder, inTurn } = options;
    const settled = new Promise<boolean>((resolve, reject) => {
      const giveUpAt = performance.now() + waitMs;
      const isAlone = inTurn !== undefined || beforeCommit !== undefined;
      const states = { isAlone, failures: 0, mayBeWritten: false };
      const batch = { statements, beforeCommit, written, giveUpAt, ...states, resolve, reject };
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
    if (running === 0) soon ??= setImmediate(openLane);
    else if (running < lanes) later ??= setTimeout(openLane, GATHER_MS);
  }

  function openLane(): void {
    clearImmediate(soon);
    clearTimeout(later);
    [soon, later] = [undefined, undefined];
    if (waiting.length > 0 && running < lanes) void runLane();
  }

  async function runLane(): Promise<void> {
    running += 1;
    while (waiting.length > 0) {
      const group = takeGroup();
      const pauseMs = await (group.length > 1 ? runGroup(group) : runBatch(group[0] as Batch));
      if (pauseMs > 0) await delay(pauseMs);
    }
    running -= 1;
  }

  function takeGroup(): Batch[] {
    const end = waiting.slice(0, MAX_GROUP).findIndex(({ isAlone }) => isAlone);
    return waiting.splice(0, end === -1 ? MAX_GROUP : Math.max(1, end));
  }

  function wrote(): void {
    failingSince = null;
    lastWrittenAt = performance.now();
  }

  /** Settles the group, or leaves each to a try of its own. */
  async function runGroup(group: readonly Batch[]): Promise<number> {
    try {
      const reason = displacement();
      if (reason !== null) throw new Error(reason);
      await run([GROUP_LIMIT, ...group.flatMap(({ statements }) => statements)], group);
    } catch (error) {
      const isOut = isConnectionFault(error);
      // Of what may be written, each tells for itself whether it is.
      for (const batch of group) batch.isAlone ||= !isOut || batch.mayBeWritten;
      if (isOut) return waitForServer(group, error);
      waiting.unshift(...group);
      return 0;
    }
    wrote();
    for (const { resolve } of group) resolve(true);
    return 0;
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
      wrote();
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

  function run(statements: readonly PipelineStatement[], batches: readonly Batch[], beforeCommit?: () => void) {
    return withConnection(db, async (connection) => {
      try {
        await runPipeline(connection, statements, beforeCommit);
      } catch (error) {
        // A connection that could not be had has written nothing; one that broke may have.
        if (isUnanswered(error)) for (const batch of batches) batch.mayBeWritten = true;
        throw error;
      }
    });
  }

  async function tryBatch(batch: Batch): Promise<boolean> {
    try {
      await run(batch.statements, [batch], batch.beforeCommit);
      return true;
    } catch (error) {
      if (!isGuardFailure(error)) throw error;
      return batch.mayBeWritten && batch.written !== undefined && (await batch.written().first()) !== undefined;
    }
  }

  function postpone(batch: Batch, error: unknown): number {
    if (isConnectionFault(error)) return waitForServer([batch], error);
    const pauseMs = outagePauseMs(batch.failures++);
    const leftMs = batch.giveUpAt - performance.now();
    if (leftMs <= 0) batch.reject(new StorageOutage(error));
    else setTimeout(add, Math.min(leftMs, isConflict(error) ? pauseMs / 10 : pauseMs), batch);
    return 0;
  }

  function waitForServer(batches: readonly Batch[], error: unknown): number {
    failingSince ??= performance.now();
    waiting.unshift(...batches);
    rejectExpired(error);
    return Math.max(...batches.map((batch) => outagePauseMs(batch.failures++)));
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
