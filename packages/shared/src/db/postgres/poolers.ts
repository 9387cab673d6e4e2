/**
 * Poolers between the platform and PostgreSQL. One that lends a server's connection for a transaction, as PgBouncer
 * does, keeps the settings of a connection from the server: an API could write then, and a client that has vanished
 * would hold its locks. It refuses such settings, or it is told to ignore them; either is said by name, and waited for
 * by nobody.
 */
import type { PostgresConnection } from "./postgres-connection.ts";

const ADVICE =
  "Let DATABASE_URL lead to PostgreSQL itself, or to a pooler that gives each connection a server's connection of " +
  "its own with all its settings. PgBouncer in transaction mode is not supported.";

/** PgBouncer's words, with the code of a broken protocol, which would be taken for an outage. */
const REFUSED = "unsupported startup parameter";

export const refusal = (error: unknown): unknown =>
  error instanceof Error && error.message.includes(REFUSED)
    ? new Error(`A pooler refuses the settings of the connection (${error.message}). ${ADVICE}`, { cause: error })
    : error;

/** Throws unless the server works with the settings that the connection has asked for. */
export async function assertSettings(
  connection: Pick<PostgresConnection, "query">,
  asked: Readonly<Record<string, string | number>>,
): Promise<void> {
  const { rows } = await connection.query<{ name: string; setting: string }>(
    "select name, setting from pg_settings where name = any($1)",
    [Object.keys(asked)],
  );
  for (const { name, setting } of rows) {
    if (setting === String(asked[name])) continue;
    throw new Error(`${name} is ${setting} for a connection that asked for ${asked[name]}. ${ADVICE}`);
  }
}
