/**
 * What a job did when: its attempts and the steps within them. A column, because it is written with the job's end.
 *
 * May old workers run beside it: yes, because it only adds a column that may be null. The jobs that an older worker
 * ends have no steps.
 */
import type { Schema } from "@agent-paas/shared/db/queries.ts";

export async function up(db: Schema): Promise<void> {
  await db.schema.alterTable("agent_logs", (table) => {
    table.text("timeline").nullable();
  });
}
