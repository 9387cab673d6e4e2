/**
 * Calls of tools that the client runs: they stand with the assistant's message until results come. And how many
 * messages have room in a reserved place, since a job may write more than two.
 *
 * May old workers run beside it: yes, because it only adds columns, one that may be null and one with a default. An
 * older worker ends no job with such calls, sends none to a model, and reserves places with room for two messages.
 */
import type { Schema } from "@agent-paas/shared/db/queries.ts";

export async function up(db: Schema): Promise<void> {
  await db.schema.alterTable("messages", (table) => {
    table.text("open_turn").nullable();
  });
  await db.schema.alterTable("reserved_ordinals", (table) => {
    table.integer("room").notNullable().defaultTo(2);
  });
}
