/** Migrations of PostgreSQL: once however many workers start at once, whole or not at all, and no lock that stays. */
import { openStorage } from "@agent-paas/shared/db/open-storage.ts";
import type { Schema } from "@agent-paas/shared/db/queries.ts";
import type { Storage } from "@agent-paas/shared/db/storage.ts";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { MIGRATIONS, migrate } from "../../apps/worker/src/storage/migrate.ts";
import { createDatabase, queryOn } from "../support/postgres.ts";
import { sharedPostgres } from "../support/shared-postgres.ts";
import { waitFor } from "../support/wait-for.ts";

let url: string;
beforeEach(async () => {
  const database = await createDatabase(await sharedPostgres());
  onTestFinished(database.drop);
  ({ url } = database);
});

function open(): Storage {
  const storage = openStorage(url);
  onTestFinished(() => storage.close());
  return storage;
}

const applied = async () => {
  const rows = await queryOn(url, "select name from knex_migrations order by id");
  return rows.map((row) => (row as { name: string }).name);
};

test("six workers that migrate at once apply each migration once, and agree on the identity", async () => {
  const storages = Array.from({ length: 6 }, open);
  await Promise.all(storages.map(migrate));
  expect(await applied()).toEqual([...MIGRATIONS.keys()]);
  const ids = await Promise.all(storages.map((storage) => storage.installation()));
  expect(new Set(ids).size).toBe(1);
});

test("a migration that fails leaves the database as it was, and the next start runs it", async () => {
  const storage = open();
  await migrate(storage);
  const broken = {
    async up(db: Schema) {
      await db.schema.createTable("half", (table) => table.text("id"));
      throw new Error("broken");
    },
  };
  const whole = { up: async (db: Schema) => db.schema.createTable("half", (table) => table.text("id")) };
  await expect(storage.migrate(new Map([...MIGRATIONS, ["901-next", broken]]))).rejects.toThrow("broken");
  expect(await applied()).toEqual([...MIGRATIONS.keys()]);
  expect(await queryOn(url, "select to_regclass('half') as found")).toEqual([{ found: null }]);
  await storage.migrate(new Map([...MIGRATIONS, ["901-next", whole]]));
  expect(await applied()).toEqual([...MIGRATIONS.keys(), "901-next"]);
});

test("a worker that dies during a migration leaves no lock behind", async () => {
  let began = false;
  const hanging = {
    async up(db: Schema) {
      began = true;
      await db.raw("select pg_sleep(600)");
    },
  };
  const dying = open().migrate(new Map([["001-initial", hanging]]));
  const outcome = dying.then(
    () => "migrated",
    () => "died",
  );
  await waitFor("the migration", () => began);
  const next = migrate(open());
  await waitFor("the next worker at the lock", async () => {
    const [row] = await queryOn(url, "select 1 from pg_locks where locktype = 'advisory' and not granted");
    return row !== undefined;
  });
  await queryOn(url, "select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'PgSleep'");
  await next;
  expect([await outcome, await applied()]).toEqual(["died", [...MIGRATIONS.keys()]]);
});

test("tables, columns, keys and indexes have the names that they have in SQLite", async () => {
  await migrate(open());
  const { readText } = await import("../support/sources.ts");
  const schema = readText("apps/worker/src/storage/schema.sql");
  const indexes = [...schema.matchAll(/^CREATE (?:UNIQUE )?INDEX (\w+)/gm)].map(([, name]) => name);
  const found = await queryOn(
    url,
    `select indexname as name from pg_indexes where schemaname = current_schema()
       and indexname not like '%_pkey' and tablename not like 'knex_%' order by 1`,
  );
  expect(found.map((row) => (row as { name: string }).name)).toEqual(indexes.toSorted());
  const columns = [...schema.matchAll(/^CREATE TABLE (\w+) \(\n([\s\S]*?)\n\);/gm)].flatMap(([, table, body = ""]) =>
    [...body.matchAll(/^ {2}(\w+) (?:char|varchar|text|integer)/gm)].map(([, column]) => `${table}.${column}`),
  );
  const named = await queryOn(
    url,
    `select table_name || '.' || column_name as name, data_type, collation_name from information_schema.columns
       where table_schema = current_schema() and table_name not like 'knex_%'`,
  );
  const rows = named as { name: string; data_type: string; collation_name: string | null }[];
  expect(rows.map(({ name }) => name).sort()).toEqual(columns.toSorted());
  expect(new Set(rows.map(({ data_type, collation_name }) => `${data_type} ${collation_name}`))).toEqual(
    new Set(["text C", "bigint null"]),
  );
});
