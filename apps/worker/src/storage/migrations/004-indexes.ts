/** What deleting a session and listing an owner's sessions look up; without it they read whole tables. */
import type { Knex } from "knex";

export async function up(db: Knex): Promise<void> {
  await db.schema.alterTable("messages", (table) => table.index(["job_id"]));
  await db.schema.alterTable("sessions", (table) => {
    table.index(["owner", "id"]);
    table.dropIndex(["owner", "updated_at"]);
  });
}

export async function down(db: Knex): Promise<void> {
  await db.schema.alterTable("messages", (table) => table.dropIndex(["job_id"]));
  await db.schema.alterTable("sessions", (table) => {
    table.dropIndex(["owner", "id"]);
    table.index(["owner", "updated_at"]);
  });
}
