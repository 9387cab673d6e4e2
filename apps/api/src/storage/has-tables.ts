import type { ReadStorage } from "@agent-paas/shared/db/storage.ts";

/** Whether a worker has created the database and its tables. Throws `database_unavailable`. */
export const hasTables = (storage: ReadStorage): Promise<boolean> =>
  storage.read(async (table) => {
    await table("agent_logs").select("id").limit(1);
    return true;
  }, false);
