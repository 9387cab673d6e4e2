/**
 * Collections and their documents. The chunks and their vectors are in the vector store; these rows say which count.
 *
 * May old workers run beside it: yes, because it only adds tables. Older workers have no jobs about documents.
 */
import type { Schema } from "@agent-paas/shared/db/queries.ts";

export async function up(db: Schema): Promise<void> {
  await db.schema.createTable("collections", (table) => {
    table.uuid("id").primary();
    table.string("owner").notNullable();
    table.string("name").notNullable();
    table.string("embedding").notNullable();
    table.string("created_at", 30).notNullable();
    table.unique(["owner", "name"]);
  });

  await db.schema.createTable("documents", (table) => {
    table.uuid("id").primary();
    table.uuid("collection_id").notNullable().references("collections.id").onDelete("CASCADE");
    table.string("owner").notNullable();
    table.string("source", 300).notNullable();
    table.string("version", 64).notNullable();
    table.string("format").notNullable();
    table.integer("bytes").notNullable();
    table.integer("chunks").notNullable();
    table.text("metadata").notNullable();
    table.uuid("job_id").notNullable().comment("the latest accepted ingest that had its way");
    table.uuid("copy_id").notNullable().comment("the ingest whose chunks are the document's");
    table.string("created_at", 30).notNullable();
    table.string("updated_at", 30).notNullable();
    table.unique(["collection_id", "source"]);
    table.index(["collection_id", "created_at", "id"]);
    table.index(["copy_id"]);
  });

  await db.schema.createTable("stray_copies", (table) => {
    table.uuid("id").primary().comment("the ingest job");
    table.uuid("collection_id").notNullable().references("collections.id").onDelete("CASCADE");
    table.uuid("document_id").notNullable();
    table.string("owner").notNullable();
    table.string("state").notNullable();
    table.index(["collection_id"]);
  });
}
