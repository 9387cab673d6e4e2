/**
 * What a client attached to a job, also to one outside any session; the places of messages that are yet to come; and
 * the index by which failed jobs are counted.
 *
 * May old workers run beside it: yes, because it only adds a column that may be null, a table and an index. The jobs of
 * an older worker have no metadata, and it places messages as before.
 */
import type { Schema } from "@agent-paas/shared/db/queries.ts";

export async function up(db: Schema): Promise<void> {
  await db.schema.alterTable("agent_logs", (table) => {
    table.text("metadata").nullable();
  });
  // Without a reference to `agent_logs`: the job of a reserved place has not started, so it has no row.
  await db.schema.createTable("reserved_ordinals", (table) => {
    table.uuid("job_id").primary();
    table.uuid("session_id").notNullable().references("sessions.id").onDelete("CASCADE");
    table.integer("ordinal").notNullable();
    table.unique(["session_id", "ordinal"]);
  });
  await db.raw("create index agent_logs_failed on agent_logs (kind, finished_at) where status = 'failed'");
}
