/**
 * `npm run migrate-database -- --from URL --to URL`: moves an installation from one database to another, such as from
 * an SQLite file to PostgreSQL, while nothing runs. It may be run again after it broke off.
 */
import { isAbsolute, resolve } from "node:path";
import { inspect, parseArgs } from "node:util";
import { databaseFile, databasePlace, databaseUrlProblem } from "@agent-paas/shared/config/database-url.ts";
import { isPostgresUrl } from "@agent-paas/shared/config/postgres-url.ts";
import { openReadStorage, openStorage } from "@agent-paas/shared/db/open-storage.ts";
import { makeFilesPrivate } from "@agent-paas/shared/files/private-files.ts";
import { migrate } from "./storage/migrate.ts";
import { MoveError, moveRows } from "./storage/move-rows.ts";

const HELP = `npm run migrate-database -- --from URL --to URL: moves an installation to another database

URLs as in DATABASE_URL: file:./data/agent-paas.db, postgres://user:password@host:port/database.
Stop the API and all workers first. The target must be a database without other data; it gets its tables here. After a
break the same command goes on where it was. Nothing is deleted from the source.`;

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const complain = (text: string): void => void process.stderr.write(`${text}\n`);

class UsageError extends Error {}

async function main(): Promise<void> {
  const { from, to, help } = parseFlags(process.argv.slice(2));
  if (help) return say(HELP);
  if (from === undefined || to === undefined) throw new UsageError(`--from or --to is missing\n${HELP}`);
  const [source, target] = [urlOf("--from", from), urlOf("--to", to)];
  if (databasePlace(source) === databasePlace(target)) throw new UsageError("--from and --to are the same database");
  makeFilesPrivate();
  const startedAt = performance.now();
  await bringUpToDate(source);
  const [readStorage, storage] = [openReadStorage(source), openStorage(target)];
  try {
    await migrate(storage);
    const contents = await moveRows({
      source: readStorage,
      target: storage,
      progress: (step, table, rows) => say(`${step} ${table}: ${rows} rows`),
    });
    const rows = contents.reduce((sum, { rows: ofTable }) => sum + ofTable, 0);
    const seconds = Math.round((performance.now() - startedAt) / 1_000);
    const mebibytes = Math.round(process.resourceUsage().maxRSS / 1_024);
    for (const { table, rows: ofTable, hash } of contents) say(`equal ${table}: ${ofTable} rows, sha256 ${hash}`);
    say(`Moved ${rows} rows to ${databasePlace(target)} in ${seconds} s, at most ${mebibytes} MiB of memory.
Now set DATABASE_URL to it for the API and all workers, and start them.`);
  } finally {
    await Promise.all([readStorage.close(), storage.close()]);
  }
}

/** As a worker of this version would when it starts; makes no database. */
async function bringUpToDate(url: string): Promise<void> {
  const storage = openStorage(url);
  try {
    if ((await storage.installation()) === null) {
      throw new MoveError(`there is no database of an installation at ${storage.place}`);
    }
    await migrate(storage);
  } finally {
    await storage.close();
  }
}

/** npm changes the working directory; a relative path refers to the directory in which npm was called. */
function urlOf(flag: string, url: string): string {
  const problem = databaseUrlProblem(url);
  if (problem !== null) throw new UsageError(`${flag}: ${problem}`);
  if (isPostgresUrl(url)) return url;
  const file = databaseFile(url);
  return isAbsolute(file) ? file : resolve(process.env.INIT_CWD ?? process.cwd(), file);
}

function parseFlags(args: string[]) {
  const options = { from: { type: "string" }, to: { type: "string" }, help: { type: "boolean", short: "h" } } as const;
  try {
    return parseArgs({ args, options }).values;
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n${HELP}`);
  }
}

try {
  await main();
} catch (error) {
  const isExpected = error instanceof UsageError || error instanceof MoveError;
  complain(isExpected ? error.message : inspect(error));
  process.exitCode = 1;
}
