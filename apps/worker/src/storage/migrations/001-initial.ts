/**
 * Sessions, their messages, and the jobs. Times and JSON are texts: what SQLite and PostgreSQL both know.
 *
 * May old workers run beside it: not applicable, because this makes the first tables: no worker is older.
 */
import type { Schema } from "@agent-paas/shared/db/queries.ts";

export async function up(db: Schema): Promise<void> {
  await db.schema.createTable("sessions", (table) => {
    table.uuid("id").primary();
    table.string("owner").notNullable();
    table.string("agent_type").notNullable();
    table.text("config").notNullable();
    table.text("metadata").notNullable();
    table.string("created_at", 30).notNullable();
    table.string("updated_at", 30).notNullable();
    table.index(["owner", "updated_at"]);
  });

  await db.schema.createTable("agent_logs", (table) => {
    table.uuid("id").primary().comment("the job id");
    table.string("owner").notNullable();
    table.string("kind").notNullable();
    table.string("agent_type").notNullable();
    table.uuid("session_id").nullable().references("sessions.id").onDelete("CASCADE");
    table.text("task").notNullable();
    table.string("status").notNullable();
    table.integer("attempt").notNullable().comment("the fence: rises with every start, parked ones too");
    table.integer("runs").notNullable().comment("how often the agent was begun");
    table.string("worker").notNullable();
    table.text("result").nullable();
    table.text("usage").nullable();
    table.string("error_code").nullable();
    table.text("error_message").nullable();
    table.integer("last_seq").nullable();
    table.integer("execution_time_ms").nullable();
    table.string("created_at", 30).notNullable();
    table.string("started_at", 30).notNullable();
    table.string("finished_at", 30).nullable();
    table.index(["owner", "id"]);
    table.index(["session_id"]);
  });

  await db.schema.createTable("messages", (table) => {
    table.uuid("id").primary();
    table.uuid("session_id").notNullable().references("sessions.id").onDelete("CASCADE");
    table.uuid("job_id").notNullable().references("agent_logs.id").onDelete("CASCADE");
    table.integer("ordinal").notNullable();
    table.string("role").notNullable();
    table.text("content").notNullable();
    table.integer("tokens_used").notNullable();
    table.text("metadata").notNullable();
    table.string("created_at", 30).notNullable();
    table.unique(["session_id", "ordinal"]);
  });
  // I4: a job that runs twice writes its messages once. Raw, because SQLite takes no parameters in an index.
  await db.raw(
    "create unique index messages_once_per_job on messages (job_id, role) where role in ('user', 'assistant')",
  );
}
