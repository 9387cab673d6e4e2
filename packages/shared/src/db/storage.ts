/**
 * The port to the database. Repositories in workers write through `Storage`, readers in the API read through
 * `ReadStorage`; `open-storage.ts` is the one file that says which database is behind them.
 *
 * What both databases behind it give, and repositories rest on:
 * 1. A batch is written whole or not at all, and a guard sees what was committed before it ran.
 * 2. Batches that write the same row run one after the other from that statement on, and so do those with the same
 *    `inTurn`. SQLite runs all batches one after the other; under PostgreSQL's READ COMMITTED two that touch different
 *    rows run at once, and would both compute the same `max(ordinal) + 1` or both pass the same count.
 * 3. Integers have 64 bits, texts are of any length and hold any character, NUL included, and they compare by their
 *    bytes: ISO times and ids of UUIDv7 sort by time.
 */
import type { Logger } from "../logging/logger.ts";
import type { Query, Schema, Sql, Table } from "./queries.ts";
import type { Statement } from "./statement.ts";

export type WriteStatement = {
  readonly query: Query | Statement;
  /** A guard must touch exactly one row; if it does not, nothing of its batch is kept (I4). */
  readonly guard?: boolean;
};

export type WriteOptions = {
  /** Called inside the transaction, after the last statement. Costs a round trip where the database is elsewhere. */
  readonly beforeCommit?: (() => void) | undefined;
  /** Batches with the same name run one after the other, as a whole, whichever process writes them. */
  readonly inTurn?: string | undefined;
  /** Batches of this process with the same name run in the order in which they were given, without a wait between. */
  readonly inOrder?: string | undefined;
  /**
   * Finds a row exactly when the batch was written. A batch whose connection breaks during the commit may have been
   * written, and is run again; if a guard fails then, this tells whether the batch itself has made it fail. Leave it
   * out where the guards pass a second time.
   */
  readonly written?: (() => Query) | undefined;
};

export type Migration = { up(schema: Schema): Promise<void> };

/** By name, in the order in which they are applied. */
export type Migrations = ReadonlyMap<string, Migration>;

export type Checkpoints = { stop(): Promise<void> };

export type Storage = {
  /** Where the database is, as logs may show it: without credentials. */
  readonly place: string;
  readonly table: Table;
  readonly sql: Sql;
  /** A read whose SQL is built now and once. `build` gets placeholders instead of values. */
  prepareRead<Row, Values extends object>(build: (values: Values) => Query): (values: Values) => Promise<Row[]>;
  /** A statement for batches whose SQL is built now and once. `build` gets placeholders instead of values. */
  prepareWrite<Values extends object>(build: (values: Values) => Query): (values: Values) => Statement;
  /**
   * Runs a batch: all statements in their order and in one transaction, or none. The only way to write.
   * @returns false when a guard did not touch exactly one row: nothing of the batch was written.
   * @throws `StorageOutage` when the database stays locked, full or out of reach for as long as batches wait, and
   *   `storage_unavailable` when it refuses a statement.
   */
  write(batch: readonly WriteStatement[], options?: WriteOptions): Promise<boolean>;
  /** False while the database has refused all writes for seconds: locked, its disk full or failing. */
  canWrite(): boolean;
  /** Finds out for `canWrite` whether the database takes a write, unless one succeeded in the last `idleMs`. */
  probe(idleMs: number): Promise<void>;
  /** The id of the database's installation; null while there is no database, or none with an identity. Makes none. */
  installation(): Promise<string | null>;
  /** Why the database is not the one that was opened any more; null while it is. Cheap enough for every job. */
  displacement(): string | null;
  /**
   * Calls back once, when a look at intervals or a write finds the database displaced; from then on every write fails.
   */
  watch(onDisplaced: (reason: string) => void): { stop(): void };
  /** Applies the missing migrations. Of all processes that call it at once, one migrates and the others wait. */
  migrate(migrations: Migrations): Promise<void>;
  /** Starts the checkpoints that a database needs its writers to make; PostgreSQL makes its own. */
  startCheckpoints(logger: Logger): Checkpoints;
  close(): Promise<void>;
};

/**
 * Called with the installation of every database that is opened, before anything is read of it: for the first one, and
 * for one that has replaced it. Throws for a database that must not be read.
 */
export type VerifyInstallation = (id: string) => Promise<void>;

export type ReadStorage = {
  /**
   * Runs a read; `absent` is its result while there is no database, or no such table, yet.
   * @throws `database_unavailable` when the read fails.
   */
  read<T>(query: (table: Table, sql: Sql) => Promise<T>, absent: T): Promise<T>;
  /** The id of the database's installation; null while there is no database, or none with an identity. */
  installation(): Promise<string | null>;
  /** Why there is no database any more; null while there is one, and before there is one. */
  displacement(): string | null;
  close(): Promise<void>;
};
