/**
 * One batch in one round trip: all its statements go out together and are answered together. The server runs what comes
 * before one `Sync` in one transaction, each statement with a snapshot of its own, skips the rest after an error, and
 * commits at the `Sync`. So neither a begin nor a commit is sent.
 */
import type pg from "pg";
import type { Statement } from "../statement.ts";
import type { PostgresConnection } from "./postgres-connection.ts";

export type PipelineStatement = Statement & { readonly guard: boolean };

/** The names of the statements that the server has parsed for a connection. */
const parsedNames = new WeakMap<PostgresConnection, Set<string>>();

/**
 * Runs the statements in one transaction. Throws for a guard that did not touch exactly one row, too.
 * @param beforeCommit called when all statements are done, which costs a second round trip.
 */
export function runPipeline(
  connection: PostgresConnection,
  statements: readonly PipelineStatement[],
  beforeCommit?: () => void,
): Promise<void> {
  const known = parsedNames.get(connection) ?? new Set();
  parsedNames.set(connection, known);
  return new Promise((resolve, reject) => {
    connection.query(new Pipeline(statements, known, beforeCommit, { resolve, reject, connection }));
  });
}

type Outcome = {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
  readonly connection: PostgresConnection;
};

/** What pg calls back while the query is the one that the server answers. */
class Pipeline implements pg.Submittable {
  readonly #statements: readonly PipelineStatement[];
  readonly #known: Set<string>;
  readonly #beforeCommit: (() => void) | undefined;
  readonly #outcome: Outcome;
  readonly #new: string[] = [];
  #done = 0;

  constructor(
    statements: readonly PipelineStatement[],
    known: Set<string>,
    beforeCommit: (() => void) | undefined,
    outcome: Outcome,
  ) {
    this.#statements = statements;
    this.#known = known;
    this.#beforeCommit = beforeCommit;
    this.#outcome = outcome;
  }

  submit(connection: pg.Connection): void {
    const { stream } = connection;
    stream.cork();
    try {
      for (const statement of this.#statements) this.#send(connection, statement);
      if (this.#beforeCommit === undefined) connection.sync();
      else connection.flush();
    } finally {
      stream.uncork();
    }
  }

  #send(connection: pg.Connection, { sql, bindings, guard, name = "" }: PipelineStatement): void {
    const statement = name === "" ? "" : `${name}${guard ? "g" : ""}`;
    if (statement === "" || !this.#known.has(statement)) {
      connection.parse({ name: statement, text: guard ? guarded(sql) : sql, types: [] }, true);
      if (statement !== "") {
        this.#known.add(statement);
        this.#new.push(statement);
      }
    }
    connection.bind({ statement, values: bindings.map(toText) }, true);
    connection.execute(null, true);
  }

  handleCommandComplete(_: unknown, connection: pg.Connection): void {
    this.#done += 1;
    if (this.#beforeCommit === undefined || this.#done < this.#statements.length) return;
    try {
      this.#beforeCommit();
      connection.sync();
    } catch (error) {
      // Without the `Sync` nothing is committed.
      this.handleError(error);
      this.#outcome.connection.connection.stream.destroy();
    }
  }

  handleError(error: unknown, connection?: pg.Connection): void {
    // Which of them the server has parsed is left open, so the connection is not used again.
    if (this.#new.length > 0) this.#outcome.connection.__knex__disposed = error;
    if (this.#beforeCommit !== undefined && this.#done < this.#statements.length) connection?.sync();
    this.#outcome.reject(error);
  }

  handleReadyForQuery(): void {
    this.#outcome.resolve();
  }

  handleRowDescription(): void {}
  handleDataRow(): void {}
  handlePortalSuspended(): void {}
  handleEmptyQuery(): void {}
}

/** Repositories bind texts, numbers and null. */
const toText = (value: unknown): string | null => (value === null || value === undefined ? null : String(value));

/** Fails, and with it the transaction, unless the statement touches exactly one row. */
const guarded = (sql: string): string =>
  `with guarded as (${sql} returning 1) select 1 / (count(*) = 1)::int from guarded`;
