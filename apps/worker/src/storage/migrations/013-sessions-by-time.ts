/**
 * The order in which sessions are listed: by their beginning. The ids of those that clients name say nothing of it.
 *
 * May old workers run beside it: yes, because it only replaces an index. An older API sorts what it lists.
 */
import type { Schema } from "@agent-paas/shared/db/queries.ts";

export async function up(db: Schema): Promise<void> {
  await db.schema.alterTable("sessions", (table) => {
    table.index(["owner", "created_at", "id"], "sessions_by_time");
    table.dropIndex(["owner", "id"]);
  });
}
