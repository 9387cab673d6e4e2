/**
 * `npm run backup -- --to FILE`: copies the database while everything runs. The copy is the state of one moment: SQLite
 * reads it in one transaction, so it holds no write partially.
 *
 * 1. The file appears under its name complete, checked and flushed to disk, or not at all; nothing is overwritten.
 * 2. The copy is a single file, without a write-ahead log beside it.
 */
import { loadDotEnv } from "./start/dot-env.ts";
import "./require-node.mjs";
import { existsSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import { parseArgs } from "node:util";
import { databaseFile, databasePlace } from "@agent-paas/shared/config/database-url.ts";
import { isPostgresUrl } from "@agent-paas/shared/config/postgres-url.ts";
import { resolveOptions, UsageError } from "./start/options.ts";
import { ROOT } from "./start/processes.ts";

/** Copies everything in one step: a copy in several steps starts again whenever a worker writes. */
const ALL_PAGES = 2 ** 31 - 1;

const HELP = `npm run backup -- --to FILE: copies the database to FILE while everything runs

From the environment or the file .env: DATABASE_URL, or else DATA_DIR.`;

async function main(): Promise<void> {
  const { to, help } = parseFlags(process.argv.slice(2));
  if (help) return console.log(HELP);
  if (to === undefined) throw new UsageError(`--to is missing\n${HELP}`);
  loadDotEnv(resolve(ROOT, ".env"), process.env);
  const { databaseUrl } = resolveOptions([], process.env, ROOT);
  if (isPostgresUrl(databaseUrl)) throw new UsageError(ofPostgres(databasePlace(databaseUrl), to));
  const from = resolve(ROOT, databaseFile(databaseUrl));
  if (!existsSync(from)) throw new UsageError(`There is no database at ${from}. Set DATABASE_URL or DATA_DIR`);
  // npm changes the working directory; a relative path refers to the directory in which npm was called.
  const target = resolve(process.env.INIT_CWD ?? process.cwd(), to);
  if (existsSync(target)) throw new UsageError(`${target} exists already; a backup overwrites nothing`);

  const aside = `${target}.${process.pid}.part`;
  try {
    await copy(from, aside);
    const { bytes, jobs, sessions } = check(aside);
    await flush(aside);
    if (existsSync(target)) throw new UsageError(`${target} exists already; a backup overwrites nothing`);
    await rename(aside, target);
    await flush(dirname(target));
    console.log(howToRestore(from, target, `${bytes} bytes, ${jobs} jobs, ${sessions} sessions`));
  } finally {
    await rm(aside, { force: true });
  }
}

async function copy(from: string, to: string): Promise<void> {
  // Conversations are private: other users of the machine must not read them.
  await (await open(to, "wx", 0o600)).close();
  const source = new DatabaseSync(from, { readOnly: true });
  try {
    await backup(source, to, { rate: ALL_PAGES });
  } finally {
    source.close();
  }
}

function check(file: string): { bytes: number; jobs: number; sessions: number } {
  const database = new DatabaseSync(file);
  try {
    database.exec("PRAGMA journal_mode = DELETE");
    const integrity = database.prepare("PRAGMA integrity_check").all();
    const orphans = database.prepare("PRAGMA foreign_key_check").all();
    if (integrity.length !== 1 || integrity[0]?.integrity_check !== "ok" || orphans.length > 0) {
      const faults = [...integrity, ...orphans].slice(0, 5).map((row) => JSON.stringify(row));
      throw new Error(`The copy is damaged and was deleted; the database may be damaged too: ${faults.join(" ")}`);
    }
    const one = (sql: string) => Number(Object.values(database.prepare(sql).get() ?? {})[0]);
    return {
      bytes: one("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"),
      jobs: one("SELECT count(*) FROM agent_logs"),
      sessions: one("SELECT count(*) FROM sessions"),
    };
  } finally {
    database.close();
  }
}

async function flush(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const howToRestore = (from: string, backup: string, content: string) => `Backed up ${from}
       to ${backup} (${content}; checked)

To restore: stop the API and all workers; then
  rm -f '${from}-wal' '${from}-shm'
  cp '${backup}' '${from}'
and start them again.

Not included: Redis (queued and running jobs, events of the last hour, Idempotency-Keys), Chroma (document vectors).`;

const ofPostgres = (place: string, to: string) => `DATABASE_URL names PostgreSQL, which has tools of its own:

  pg_dump --format=custom --file='${to}' --dbname='${place}' --username=USER

takes the state of one moment while everything runs. To restore: stop the API and all workers; then
  pg_restore --clean --if-exists --single-transaction --no-owner --dbname='${place}' --username=USER '${to}'
and start them again. To get back to any moment, archive the server's write-ahead log; hosted servers do that.`;

function parseFlags(args: string[]) {
  try {
    return parseArgs({ args, options: { to: { type: "string" }, help: { type: "boolean", short: "h" } } }).values;
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n${HELP}`);
  }
}

try {
  await main();
} catch (error) {
  console.error(error instanceof UsageError ? error.message : ((error as Error).stack ?? String(error)));
  process.exitCode = 1;
}
