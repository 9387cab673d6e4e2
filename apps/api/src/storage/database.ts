/**
 * The API's database: read-only, and opened when the first worker has made the file. Until then reads find nothing
 * and health says so.
 */
import { existsSync } from "node:fs";
import { openReadonlyDatabase } from "@agent-paas/shared/db/open-database.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type { Knex } from "knex";

export type ReadDatabase = {
  /** Runs a read; `absent` is the answer while there is no database yet. Throws `database_unavailable`. */
  read<T>(query: (db: Knex) => Promise<T>, absent: T): Promise<T>;
  close(): Promise<void>;
};

export function createReadDatabase(file: string): ReadDatabase {
  let db: Knex | null = null;

  const handle = () => {
    if (db === null && existsSync(file)) db = openReadonlyDatabase(file);
    return db;
  };

  return {
    async read(query, absent) {
      const opened = handle();
      if (opened === null) return absent;
      try {
        return await query(opened);
      } catch (cause) {
        // The first worker has made the file and is about to make the tables.
        if (cause instanceof Error && cause.message.includes("no such table")) return absent;
        throw new PlatformError("database_unavailable", { cause });
      }
    },
    close: async () => {
      await db?.destroy();
    },
  };
}
