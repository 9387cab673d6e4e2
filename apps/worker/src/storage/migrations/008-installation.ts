/**
 * The identity of the installation, in one row that this migration writes. Migrations run once per database, under
 * their lock, so of many workers that start at once one gives the id.
 *
 * May old workers run beside it: yes, because they do not know the table and nothing else changes.
 */
import type { Schema } from "@agent-paas/shared/db/queries.ts";
import { newId } from "@agent-paas/shared/ids.ts";

export async function up(db: Schema): Promise<void> {
  await db.schema.createTable("installation", (table) => {
    table.uuid("id").primary();
    table.string("created_at", 30).notNullable();
  });
  await db.raw("insert into installation (id, created_at) values (?, ?)", [newId(), new Date().toISOString()]);
}
