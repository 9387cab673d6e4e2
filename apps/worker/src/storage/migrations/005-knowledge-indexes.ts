/**
 * What queries and counts of a collection look up; without it they read all of its documents.
 *
 * May old workers run beside it: yes, because it only replaces indexes. SQLite plans older workers' statements
 * anew; their writes wait while the indexes are built.
 */
import type { Knex } from "knex";

export async function up(db: Knex): Promise<void> {
  await db.schema.alterTable("documents", (table) => {
    table.index(["collection_id", "copy_id"]);
    table.index(["collection_id", "chunks"]);
    table.dropIndex(["copy_id"]);
  });
}
