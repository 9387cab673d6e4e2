/** Opens PostgreSQL through Knex: a bounded pool of connections, whose settings go with the first packet of each. */
import { readFileSync } from "node:fs";
import knex, { type Knex } from "knex";
import pg from "pg";
import { type PostgresAddress, postgresAddress, SYSTEM } from "../../config/postgres-url.ts";
import { SECOND } from "../../time.ts";
import { PostgresDialect } from "./dialect.ts";
import { isConnectionFault } from "./outage.ts";
import { assertSettings } from "./poolers.ts";
import type { PostgresConnection } from "./postgres-connection.ts";
import { watchSilence } from "./silence.ts";
import { decodeText } from "./texts.ts";

export type PoolOptions = {
  readonly url: string;
  readonly maxConnections: number;
  /** How long the server works on one statement, ms; 0: without a limit. */
  readonly statementTimeoutMs: number;
  readonly isReadOnly: boolean;
  /** Called with every new connection before it is used. Throws for one that must not be used. */
  readonly verify?: (connection: PostgresConnection) => Promise<void>;
};

export type PostgresDatabase = Knex;

const CONNECT_WITHIN_MS = 5 * SECOND;
/** Also how long a query waits for a connection while all are in use. */
const ACQUIRE_WITHIN_MS = 10 * SECOND;
const IDLE_CONNECTION_MS = 60 * SECOND;
const KEEP_ALIVE_AFTER_MS = 5 * SECOND;

/** How long a transaction whose client says nothing may hold its locks, ms. */
const IDLE_IN_TRANSACTION_MS = 10 * SECOND;

export function openPostgres(options: PoolOptions): PostgresDatabase {
  const { maxConnections, verify } = options;
  const settings = clientSettings(options);
  const silence = watchSilence(settings, options.statementTimeoutMs);
  return knex({
    client: PostgresDialect,
    connection: settings,
    // Knex prints to the console what it throws as well, which would pass the log and its redaction.
    log: { warn: () => {}, error: () => {}, deprecate: () => {}, debug: () => {} },
    acquireConnectionTimeout: ACQUIRE_WITHIN_MS,
    pool: {
      min: 0,
      max: maxConnections,
      idleTimeoutMillis: IDLE_CONNECTION_MS,
      afterCreate: (connection: PostgresConnection, done: (error: unknown, connection: PostgresConnection) => void) => {
        silence.add(connection);
        const verified = assertSettings(connection, limitsOf(options)).then(() => verify?.(connection));
        verified.then(
          () => done(null, connection),
          (error: unknown) => {
            connection.connection.stream.destroy();
            done(error, connection);
          },
        );
      },
    },
  });
}

/** Lends out a connection; one that has broken is not lent again. */
export async function withConnection<T>(
  db: PostgresDatabase,
  use: (connection: PostgresConnection) => Promise<T>,
): Promise<T> {
  const connection: PostgresConnection = await db.client.acquireConnection();
  try {
    return await use(connection);
  } catch (error) {
    if (isConnectionFault(error)) connection.__knex__disposed = error;
    throw error;
  } finally {
    await db.client.releaseConnection(connection);
  }
}

/** What must be in force before a connection is used. */
const limitsOf = ({ statementTimeoutMs, isReadOnly }: PoolOptions) => ({
  default_transaction_read_only: isReadOnly ? "on" : "off",
  statement_timeout: statementTimeoutMs,
  lock_timeout: 0,
  idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
});

function clientSettings(options: PoolOptions) {
  const address = postgresAddress(options.url);
  const server: Readonly<Record<string, string | number>> = {
    ...limitsOf(options),
    default_transaction_isolation: "read\\ committed",
    // A client that has vanished must not hold its locks for hours.
    tcp_keepalives_idle: 5,
    tcp_keepalives_interval: 2,
    tcp_keepalives_count: 3,
  };
  const { host, port, user, password, database, applicationName = "agent-paas" } = address;
  return {
    ...{ host, port, user, database, application_name: applicationName, ssl: tlsOf(address) },
    ...(password === undefined ? {} : { password }),
    connectionTimeoutMillis: CONNECT_WITHIN_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
    types: { getTypeParser },
    options: Object.entries(server)
      .map(([name, value]) => `-c ${name}=${value}`)
      .join(" "),
  };
}

/** As libpq reads the parameters: only `verify-full` compares the certificate with the host. */
function tlsOf({ sslMode, sslFiles }: PostgresAddress): pg.ClientConfig["ssl"] {
  if (sslMode === "disable") return false;
  const files = Object.entries(sslFiles).filter(([, file]) => file !== SYSTEM);
  const pems = Object.fromEntries(files.map(([name, file]) => [name, readFileSync(file, "utf8")]));
  if (sslMode === "verify-full") return pems;
  // With an authority, `require` means `verify-ca`.
  return "ca" in pems ? { ...pems, checkServerIdentity: () => undefined } : { ...pems, rejectUnauthorized: false };
}

const { INT8, NUMERIC, TEXT, VARCHAR } = pg.types.builtins;

/** Sums and counts are numbers as in SQLite; the platform's are below 2^53. */
const getTypeParser: pg.CustomTypesConfig["getTypeParser"] = (oid, format) => {
  if (format !== "binary") {
    if (oid === INT8 || oid === NUMERIC) return Number;
    if (oid === TEXT || oid === VARCHAR) return decodeText;
  }
  return pg.types.getTypeParser(oid, format);
};
