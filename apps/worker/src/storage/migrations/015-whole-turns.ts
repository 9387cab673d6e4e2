/**
 * The model turns of jobs that ended with calls of the client, whole. They have a table of their own, because only the
 * job that goes on reads them, and histories do not.
 *
 * May old workers run beside it: yes, because it only adds a table. What an older worker has ended is gone on with from
 * its messages, whose results may be cut.
 */
import type { Schema } from "@agent-paas/shared/db/queries.ts";

export async function up(db: Schema): Promise<void> {
  await db.schema.createTable("whole_turns", (table) => {
    table.uuid("job_id").primary().references("agent_logs.id").onDelete("CASCADE");
    table.integer("bytes").notNullable();
    table.text("turns").notNullable();
  });
}
