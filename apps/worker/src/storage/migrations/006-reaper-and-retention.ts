/**
 * What the reaper and retention look up. Where few rows are wanted, the index is partial and costs the others nothing.
 *
 * May old workers run beside it: yes, because it only replaces indexes. SQLite plans older workers' statements
 * anew; their writes wait while the indexes are built.
 */
import type { Schema } from "@agent-paas/shared/db/queries.ts";

const INDEXES = {
  agent_logs_running: "agent_logs (id) where status = 'running'",
  agent_logs_of_sessions: "agent_logs (session_id, finished_at)",
  agent_logs_queries: "agent_logs (finished_at) where agent_type = 'knowledge.query'",
  sessions_updated_at: "sessions (updated_at)",
};

export async function up(db: Schema): Promise<void> {
  for (const [name, what] of Object.entries(INDEXES)) await db.raw(`create index ${name} on ${what}`);
  await db.schema.alterTable("agent_logs", (table) => table.dropIndex(["session_id"]));
}
