/** What queries and counts of a collection look up; without it they read all of its documents. */
import type { Knex } from "knex";

export async function up(db: Knex): Promise<void> {
  await db.schema.alterTable("documents", (table) => {
    table.index(["collection_id", "copy_id"]);
    table.index(["collection_id", "chunks"]);
    table.dropIndex(["copy_id"]);
  });
}

export async function down(db: Knex): Promise<void> {
  await db.schema.alterTable("documents", (table) => {
    table.index(["copy_id"]);
    table.dropIndex(["collection_id", "copy_id"]);
    table.dropIndex(["collection_id", "chunks"]);
  });
}
