/**
 * Renames columns and a table to the terms of docs/glossary.md; no row changes.
 *
 * May old workers run beside it: no, because they read and write the former column names; old APIs
 * read them, so they must be stopped as well.
 */
import type { Schema } from "@agent-paas/shared/db/queries.ts";

export async function up(db: Schema): Promise<void> {
  await db.schema.alterTable("agent_logs", (table) => table.renameColumn("attempt", "fencing_token"));
  await db.schema.alterTable("agent_logs", (table) => table.renameColumn("runs", "attempts"));
  await db.schema.alterTable("agent_steps", (table) => table.renameColumn("attempt", "fencing_token"));
  await db.schema.renameTable("stray_copies", "unreferenced_copies");
}
