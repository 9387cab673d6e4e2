import { join } from "node:path";
import { onPostgres } from "./on-postgres.ts";
import { createDatabase } from "./postgres.ts";

export type NewDatabase = {
  readonly databaseUrl: string;
  /** Of SQLite. Tests that need it are in sqlite-only.ts. */
  readonly databaseFile: string;
  drop(): Promise<void>;
};

/** A database for one test. It has no tables yet; a file does not even exist. */
export async function newDatabase(dir: string): Promise<NewDatabase> {
  if (!onPostgres) {
    const file = join(dir, "agent-paas.db");
    return { databaseUrl: file, databaseFile: file, drop: async () => {} };
  }
  // Imported here and not above, because the benchmark uses platforms outside Vitest.
  const { sharedPostgres } = await import("./shared-postgres.ts");
  const { url, drop } = await createDatabase(await sharedPostgres());
  return {
    databaseUrl: url,
    databaseFile: NO_FILE,
    drop,
  };
}

const NO_FILE = "no SQLite file: this test belongs into test/support/sqlite-only.ts";

/** A database that the test itself makes and deletes. */
export const givenDatabase = (url: string): NewDatabase => ({
  databaseUrl: url,
  databaseFile: NO_FILE,
  drop: async () => {},
});
