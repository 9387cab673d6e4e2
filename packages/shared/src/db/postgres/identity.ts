/**
 * Which installation's database stands behind the URL. It may change while a process runs: a restored copy, a failover
 * to a server that is not a replica, or a name that resolves elsewhere.
 */

import { isAbsent } from "./outage.ts";
import type { PostgresConnection } from "./postgres-connection.ts";

/** Null: no migration has written one yet. */
export async function identityOf(connection: Pick<PostgresConnection, "query">): Promise<string | null> {
  try {
    const { rows } = await connection.query<{ id: string }>("select id from installation");
    return rows[0]?.id ?? null;
  } catch (error) {
    if (isAbsent(error)) return null;
    throw error;
  }
}
