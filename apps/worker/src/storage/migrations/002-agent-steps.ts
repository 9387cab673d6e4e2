/**
 * The journal: what jobs have finished of their work, so that a retry does not do it again (I5).
 *
 * May old workers run beside it: yes, because it only adds a table. Older workers do not know it, and the rows of a
 * job go with the job, whoever deletes it.
 */
import type { Schema } from "@agent-paas/shared/db/queries.ts";

export async function up(db: Schema): Promise<void> {
  await db.schema.createTable("agent_steps", (table) => {
    table.uuid("job_id").notNullable().references("agent_logs.id").onDelete("CASCADE");
    table.integer("step_no").notNullable().comment("in the order begun, from 1");
    table.string("step_key", 64).notNullable().comment("names the step by its kind, input and place");
    table.string("kind").notNullable();
    table.text("input").nullable().comment("for people; null where it is long");
    table.string("status").notNullable().comment("started or finished");
    table.text("value").nullable();
    table.integer("attempt").notNullable();
    table.string("started_at", 30).notNullable();
    table.string("finished_at", 30).nullable();
    table.primary(["job_id", "step_no"]);
    table.unique(["job_id", "step_key"]);
  });
}
