/** PostgreSQL behind the port, for workers. */
import { postgresPlace } from "../../config/postgres-url.ts";
import { SECOND } from "../../time.ts";
import { DEFAULT_PATIENCE_MS, makeQueriesPatient, waitOut } from "../patience.ts";
import { queryTables } from "../queries.ts";
import { prepareStatement } from "../statement.ts";
import type { Storage } from "../storage.ts";
import { openPostgres, withConnection } from "./connection.ts";
import { identityOf } from "./identity.ts";
import { migratePostgres } from "./migrate.ts";
import { isOutage } from "./outage.ts";
import type { PostgresConnection } from "./postgres-connection.ts";
import { createPostgresSql } from "./sql.ts";
import { encodeValue } from "./texts.ts";
import { createWriteLanes } from "./write-lanes.ts";

export type PostgresLimits = {
  readonly maxConnections: number;
  readonly statementTimeoutMs: number;
};

export const DEFAULT_LIMITS: PostgresLimits = { maxConnections: 10, statementTimeoutMs: 30 * SECOND };

/** Of the connections, so many write; reads find the others. */
const WRITING = 0.75;

/** Between two looks at the identity while connections stay open, ms; every new connection looks by itself. */
const LOOK_EVERY_MS = SECOND;

export function openPostgresStorage(
  url: string,
  patienceMs: number = DEFAULT_PATIENCE_MS,
  limits: PostgresLimits = DEFAULT_LIMITS,
): Storage {
  // Nothing depends on a storage that starts, and what is wrong for long is better said than waited out.
  let readPatienceMs = Math.min(patienceMs, DEFAULT_PATIENCE_MS);
  const place = postgresPlace(url);
  const listeners = new Set<(reason: string) => void>();
  /** The database's own, once it has one. */
  let identity: string | null = null;
  let displaced: string | null = null;

  async function verify(connection: Pick<PostgresConnection, "query">): Promise<void> {
    const found = await identityOf(connection);
    identity ??= found;
    if (found === identity) return;
    displaced ??= `The database ${place} was replaced by that of ${found === null ? "no installation" : `installation ${found}`}.`;
    for (const listener of listeners) listener(displaced);
    throw new Error(displaced);
  }

  const db = openPostgres({ url, ...limits, isReadOnly: false, verify });
  makeQueriesPatient(db, isOutage, () => readPatienceMs);
  const table = queryTables(db);
  const displacement = () => displaced;
  const lanes = Math.max(1, Math.floor(limits.maxConnections * WRITING));
  const installation = () => waitOut(readPatienceMs, isOutage, () => withConnection(db, identityOf));
  return {
    place,
    table,
    sql: createPostgresSql(db),
    prepareRead<Row, Values extends object>(build: Parameters<typeof prepareStatement<Values>>[0]) {
      const statementFor = prepareStatement(build, encodeValue);
      return (values: Values) => {
        const { sql: text, bindings, name } = statementFor(values);
        const query = { text, values: [...bindings], ...(name === undefined ? {} : { name }) };
        const read = () => withConnection(db, async (connection) => (await connection.query(query)).rows as Row[]);
        return waitOut(readPatienceMs, isOutage, read);
      };
    },
    prepareWrite: (build) => prepareStatement(build, encodeValue),
    ...createWriteLanes({ db, lanes, patienceMs, displacement }),
    installation,
    displacement,
    watch(onDisplaced) {
      listeners.add(onDisplaced);
      if (displaced !== null) onDisplaced(displaced);
      let isLooking = false;
      const timer = setInterval(async () => {
        if (isLooking) return;
        isLooking = true;
        // Out of reach says nothing about the identity.
        await withConnection(db, verify).catch(() => {});
        isLooking = false;
      }, LOOK_EVERY_MS);
      return {
        stop() {
          clearInterval(timer);
          listeners.delete(onDisplaced);
        },
      };
    },
    async migrate(migrations) {
      await migratePostgres(db, url, migrations);
      identity = await installation();
      readPatienceMs = patienceMs;
    },
    // PostgreSQL makes its own.
    startCheckpoints: () => ({ stop: async () => {} }),
    close: () => db.destroy(),
  };
}
