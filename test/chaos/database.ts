/** The database of a run: a file of SQLite, or a PostgreSQL of its own. */
import { join } from "node:path";
import type { DatabaseKind } from "../support/database-kind.ts";
import { lockDatabase } from "../support/database-lock.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { connectTo } from "./read-rows.ts";

/** Held by somebody else, who lets others read. */
export type DatabaseLock = { release(): Promise<void>; kill(): void };

export type RunDatabase = {
  /** As the processes get it. */
  readonly url: string;
  /** Null on SQLite. */
  readonly server: PostgresServer | null;
  lock(): Promise<DatabaseLock>;
  stop(): Promise<void>;
};

/** @param dir of the file; for PostgreSQL a small disk, or null for a folder of its own. */
export async function createRunDatabase(kind: DatabaseKind, dir: string, disk: string | null): Promise<RunDatabase> {
  if (kind === "sqlite") {
    const url = join(dir, "chaos.db");
    return { url, server: null, lock: () => lockDatabase(url, "exclusive"), stop: async () => {} };
  }
  const server = await startPostgres(disk === null ? {} : { dataIn: disk });
  return { url: server.url, server, lock: () => lockTables(server.url), stop: server.stop };
}

async function lockTables(url: string): Promise<DatabaseLock> {
  const client = await connectTo(url);
  const { rows } = await client.query("select tablename from pg_tables where schemaname = current_schema()");
  await client.query("begin");
  await client.query(`lock table ${rows.map(({ tablename }) => tablename).join(", ")} in exclusive mode`);
  return { release: () => client.end(), kill: () => void client.end() };
}
