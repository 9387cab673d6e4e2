/**
 * What databases share when they are brought up to date. Migrations are forward-only. Older workers may be running
 * while a newer one migrates, and one of them may start afterwards. A name that ends with "-breaking" is how an older
 * worker that does not know the migration learns that it must not start.
 */
import type { Knex } from "knex";
import type { Migrations } from "./storage.ts";

/** Knex's default. */
const APPLIED_TABLE = "knex_migrations";

/** Whether a migration is missing. Throws when a newer worker has run one that no older worker may run beside. */
export async function needsMigration(db: Knex, migrations: Migrations): Promise<boolean> {
  const applied = await appliedMigrations(db);
  refuseBreaking(applied, migrations);
  return [...migrations.keys()].some((name) => !applied.includes(name));
}

/** Without Knex's own check of the list, which would refuse every database that a newer worker has migrated. */
export const migratorConfig = (migrations: Migrations): Knex.MigratorConfig => ({
  migrationSource: sourceOf(migrations),
  disableMigrationsListValidation: true,
});

const sourceOf = (migrations: Migrations): Knex.MigrationSource<string> => ({
  getMigrations: async () => [...migrations.keys()],
  getMigrationName: (name) => name,
  getMigration: async (name) => {
    const migration = migrations.get(name);
    if (migration === undefined) throw new Error(`There is no migration ${name}`);
    return { up: (db) => migration.up(db), down: () => refuseDown(name) };
  },
});

/** Knex wants a way back for each migration. There is none: what was written since would be lost. */
async function refuseDown(name: string): Promise<never> {
  throw new Error(`Migration ${name} is forward-only: to go back, restore a backup made before it`);
}

/** Read from Knex's table directly: Knex's own list would create the table, and so write, each time. */
async function appliedMigrations(db: Knex): Promise<string[]> {
  if (!(await db.schema.hasTable(APPLIED_TABLE))) return [];
  return db<{ name: string }>(APPLIED_TABLE).orderBy("id").pluck("name");
}

function refuseBreaking(applied: readonly string[], known: Migrations): void {
  const breaking = applied.filter((name) => !known.has(name) && name.endsWith("-breaking"));
  if (breaking.length === 0) return;
  const names = breaking.join(", ");
  throw new Error(`A newer version has migrated the database (${names}); this one cannot use it: start the newer one`);
}
