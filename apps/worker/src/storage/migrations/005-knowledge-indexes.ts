/**
 * What queries and counts of a collection look up; without it they read all of its documents.
 *
 * May old workers run beside it: yes, because it only replaces indexes. SQLite plans older workers' statements
 * anew; their writes wait while the indexes are built.
 */
import type { Schema } from "@agent-paas/shared/db/queries.ts";

export async function up(db: Schema): Promise<void> {
  await db.schema.alterTable("documents", (table) => {
    table.index(["collection_id", "copy_id"]);
    table.index(["collection_id", "chunks"]);
    table.dropIndex(["copy_id"]);
  });
}
