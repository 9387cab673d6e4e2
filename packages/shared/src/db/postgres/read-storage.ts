/** PostgreSQL for the API: every connection refuses to write, and is verified before anything is read through it. */
import { PlatformError } from "../../errors/platform-error.ts";
import { SECOND } from "../../time.ts";
import { waitOut } from "../patience.ts";
import { queryTables } from "../queries.ts";
import type { ReadStorage, VerifyInstallation } from "../storage.ts";
import { openPostgres, withConnection } from "./connection.ts";
import { identityOf } from "./identity.ts";
import { isAbsent, isOutageOfReads } from "./outage.ts";
import type { PostgresConnection } from "./postgres-connection.ts";
import { createPostgresSql } from "./sql.ts";
import { DEFAULT_LIMITS, type PostgresLimits } from "./storage.ts";

/** A request waits for a server that restarts, and not for one that is gone: its client may ask again. */
const PATIENCE_MS = 2 * SECOND;

export function openPostgresReadStorage(
  url: string,
  verify: VerifyInstallation = async () => {},
  limits: PostgresLimits = DEFAULT_LIMITS,
): ReadStorage {
  /** The id that was verified last; null until the database has one. */
  let verified: string | null = null;

  async function verifyIdentity(connection: Pick<PostgresConnection, "query">): Promise<string | null> {
    const found = await identityOf(connection);
    if (found !== null && found !== verified) {
      await verify(found);
      verified = found;
    }
    return found;
  }

  const db = openPostgres({
    ...{ url, ...limits, isReadOnly: true },
    verify: async (connection) => void (await verifyIdentity(connection)),
  });
  const [table, sql] = [queryTables(db), createPostgresSql(db)];

  async function use<T>(query: () => Promise<T>, absent: T): Promise<T> {
    try {
      return await waitOut(PATIENCE_MS, isOutageOfReads, query);
    } catch (cause) {
      // The first worker is about to make the tables.
      if (isAbsent(cause)) return absent;
      // What `verify` refuses passes as it is; an outage is called what it is to readers.
      const isRefusal = cause instanceof PlatformError && cause.code === "database_unavailable";
      throw isRefusal ? cause : new PlatformError("database_unavailable", { cause });
    }
  }

  return {
    read: (query, absent) => use(() => query(table, sql), absent),
    installation: () => use(() => withConnection(db, verifyIdentity), null),
    displacement: () => null,
    close: () => db.destroy(),
  };
}
