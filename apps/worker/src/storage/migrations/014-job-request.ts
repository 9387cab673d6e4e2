/**
 * What the door that a job came through keeps of the request, to show it again.
 *
 * May old workers run beside it: yes, because it only adds a column that may be null. The jobs of an older worker keep
 * nothing of their requests.
 */
import type { Schema } from "@agent-paas/shared/db/queries.ts";

export async function up(db: Schema): Promise<void> {
  await db.schema.alterTable("agent_logs", (table) => {
    table.text("request").nullable();
  });
}
