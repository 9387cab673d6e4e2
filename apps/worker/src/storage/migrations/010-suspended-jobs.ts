/**
 * Jobs that wait for people: what they have asked, and what brings them back after Redis has lost them.
 *
 * May old workers run beside it: yes, because it only adds tables and a column with a default. An older worker runs no
 * job that can ask; one that takes a suspended job starts it as it starts any job that lost its worker.
 */
import type { Schema } from "@agent-paas/shared/db/queries.ts";

export async function up(db: Schema): Promise<void> {
  await db.schema.alterTable("agent_logs", (table) => {
    table.integer("waited_ms").notNullable().defaultTo(0);
  });
  await db.schema.createTable("suspended_jobs", (table) => {
    table.uuid("job_id").primary().references("agent_logs.id").onDelete("CASCADE");
    table.integer("suspended_at").notNullable();
    table.integer("last_seq").notNullable();
    table.text("payload").notNullable();
    table.text("options").notNullable();
  });
  await db.schema.createTable("inquiries", (table) => {
    table.uuid("job_id").notNullable().references("agent_logs.id").onDelete("CASCADE");
    table.string("request_id").notNullable();
    table.text("inquiry").notNullable();
    table.string("expires_at", 30).notNullable();
    table.text("decision").nullable();
    table.primary(["job_id", "request_id"]);
  });
  await db.raw("create index inquiries_open on inquiries (expires_at) where decision is null");
}
