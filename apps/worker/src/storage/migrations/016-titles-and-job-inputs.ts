/**
 * Titles of sessions, and what execute jobs were given beside their task, to run them again. That has a table of its
 * own, because a job is read far more often than run again, and its input may be as large as a request.
 *
 * May old workers run beside it: yes, because it only adds a table and a column that may be null. A session that an
 * older worker begins gets its title with a later message; a job that one has started cannot be run again.
 */
import type { Schema } from "@agent-paas/shared/db/queries.ts";

export async function up(db: Schema): Promise<void> {
  await db.schema.alterTable("sessions", (table) => {
    table.text("title").nullable();
  });
  await db.schema.createTable("job_inputs", (table) => {
    table.uuid("job_id").primary().references("agent_logs.id").onDelete("CASCADE");
    table.text("inputs").notNullable();
  });
}
