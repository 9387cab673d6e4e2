import type { ReadDatabase } from "./database.ts";

/** Whether a worker has created the database and its tables. Throws `database_unavailable`. */
export const hasTables = (database: ReadDatabase): Promise<boolean> =>
  database.read(async (db) => {
    await db("agent_logs").select("id").limit(1);
    return true;
  }, false);
