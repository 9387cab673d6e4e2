/** The schema after all migrations, as SQL for people: a migration shows in review what it changes. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openWritableDatabase } from "@agent-paas/shared/db/sqlite/open-database.ts";
import { createSqliteStorage } from "@agent-paas/shared/db/sqlite/storage.ts";
import { migrate } from "../../apps/worker/src/storage/migrate.ts";
import { ROOT } from "./sources.ts";

export const SCHEMA_FILE = join(ROOT, "apps/worker/src/storage/schema.sql");

const HEADER = "-- The SQLite schema after all migrations. Written by `npm run schema`; compared with them by a test.";

export async function dumpSchema(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "agent-paas-schema-"));
  const file = join(dir, "schema.db");
  const db = openWritableDatabase(file);
  const storage = createSqliteStorage(db, file);
  try {
    await migrate(storage);
    const statements: string[] = await db("sqlite_master")
      .whereNotNull("sql")
      .whereNot("tbl_name", "like", "knex_%")
      .whereNot("tbl_name", "like", "sqlite_%")
      // Each table before its indexes.
      .orderBy([{ column: "tbl_name" }, { column: "type", order: "desc" }, { column: "name" }])
      .pluck("sql");
    return `${[HEADER, ...statements.map(format)].join("\n\n")}\n`;
  } finally {
    await storage.close();
    await rm(dir, { recursive: true });
  }
}

/** A table has a line for each of its columns and constraints; an index stays in one line. */
function format(sql: string): string {
  const flat = sql.replace(/[`"]/g, "").replace(/\s+/g, " ");
  if (!flat.toLowerCase().startsWith("create table")) return `${flat};`;
  const start = flat.indexOf("(");
  const elements = splitAtCommas(flat.slice(start + 1, flat.lastIndexOf(")")));
  return `${flat.slice(0, start).trim()} (\n  ${elements.join(",\n  ")}\n);`;
}

/** Parts between the commas that stand in no parentheses. */
function splitAtCommas(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (const [at, char] of [...text].entries()) {
    if (char === "(") depth += 1;
    if (char === ")") depth -= 1;
    if (char === "," && depth === 0) {
      parts.push(text.slice(start, at).trim());
      start = at + 1;
    }
  }
  return [...parts, text.slice(start).trim()];
}
