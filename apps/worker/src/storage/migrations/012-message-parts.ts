/**
 * The parts of messages that are more than a text. They have a table of their own, because a history is read far more
 * often than its images.
 *
 * May old workers run beside it: yes, because it only adds a table. An older worker cannot read a job with large parts,
 * which then fails, and sends the text alone of a message with small ones.
 */
import type { Schema } from "@agent-paas/shared/db/queries.ts";

export async function up(db: Schema): Promise<void> {
  await db.schema.createTable("message_parts", (table) => {
    table.uuid("job_id").primary().references("agent_logs.id").onDelete("CASCADE");
    table.integer("bytes").notNullable();
    table.text("parts").notNullable();
  });
}
