/**
 * What deleting a session and listing an owner's sessions look up; without it they read whole tables.
 *
 * May old workers run beside it: yes, because it only replaces indexes. SQLite plans older workers' statements
 * anew; their writes wait while the indexes are built.
 */
import type { Schema } from "@agent-paas/shared/db/queries.ts";

export async function up(db: Schema): Promise<void> {
  await db.schema.alterTable("messages", (table) => table.index(["job_id"]));
  await db.schema.alterTable("sessions", (table) => {
    table.index(["owner", "id"]);
    table.dropIndex(["owner", "updated_at"]);
  });
}
