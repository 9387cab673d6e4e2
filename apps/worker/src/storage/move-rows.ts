/**
 * Moves the rows of one database into another, table by table in the order of their keys, in batches that are bounded
 * in rows and bytes. What is there already is compared instead of written, so a move that broke off goes on where it
 * was. At the end both databases are read again and compared row by row.
 *
 * The target gets the identity of the installation last: until then no worker of the installation starts on it.
 */
import { createHash, type Hash } from "node:crypto";
import type { Query, Table } from "@agent-paas/shared/db/queries.ts";
import type { TableName } from "@agent-paas/shared/db/rows.ts";
import type { ReadStorage, Storage } from "@agent-paas/shared/db/storage.ts";

/** Tables before those that refer to them, and the columns by which their rows are told apart. */
const KEYS = {
  sessions: ["id"],
  agent_logs: ["id"],
  messages: ["id"],
  message_parts: ["job_id"],
  whole_turns: ["job_id"],
  job_inputs: ["job_id"],
  agent_steps: ["job_id", "step_no"],
  reserved_ordinals: ["job_id"],
  suspended_jobs: ["job_id"],
  inquiries: ["job_id", "request_id"],
  collections: ["id"],
  documents: ["id"],
  unreferenced_copies: ["id"],
} as const satisfies Readonly<Record<Exclude<TableName, "installation">, readonly string[]>>;

export type MovedTable = keyof typeof KEYS;
const TABLES = Object.keys(KEYS) as MovedTable[];

type Row = Readonly<Record<string, string | number | null>>;

/** SQLite accepts 500 rows in one statement. */
const MAX_ROWS = 500;
const FIRST_ROWS = 100;
/** A row may be as large as a request, so rows are read by what the former ones took. */
const BATCH_BYTES = 4 * 1_024 * 1_024;

export type TableContent = { readonly table: MovedTable; readonly rows: number; readonly hash: string };

export type Progress = (step: "copied" | "compared", table: MovedTable, rows: number) => void;

export class MoveError extends Error {
  override readonly name = "MoveError";
}

export type MoveDeps = {
  /** Has all migrations; nothing else writes to it. */
  readonly source: ReadStorage;
  /** Has all migrations as well, and is empty but for what a former move has left. */
  readonly target: Storage;
  readonly progress: Progress;
};

/** Returns what both databases hold. Throws a `MoveError` when they differ, and leaves the target without identity. */
export async function moveRows({ source, target, progress }: MoveDeps): Promise<TableContent[]> {
  const identity = await source.read((table) => table("installation").first(), undefined);
  if (identity === undefined) throw new MoveError("the source has no identity: no worker has used it yet");
  const found = await target.table("installation").first();
  if (found?.id === identity.id) throw new MoveError("the target is the database of this installation already");
  const from = readerOf((query) => source.read(query, []));
  const to = readerOf((query) => query(target.table));
  for (const table of TABLES) {
    const { rows, last } = await compare(table, from, to, "prefix");
    const copied = await copy(table, from, target, last);
    progress("copied", table, rows + copied);
  }
  const contents: TableContent[] = [];
  for (const table of TABLES) {
    const { rows, hash } = await compare(table, from, to, "all");
    progress("compared", table, rows);
    contents.push({ table, rows, hash });
  }
  const isNamed = await target.write([
    { query: target.table("installation").update({ id: identity.id, created_at: identity.created_at }), guard: true },
  ]);
  if (!isNamed) throw new MoveError("the target has lost its identity: its table installation is not one row");
  return contents;
}

type Reader = (table: MovedTable, after: Row | undefined, limit: number) => Promise<Row[]>;

const readerOf =
  (read: (query: (table: Table) => Promise<Row[]>) => Promise<Row[]>): Reader =>
  (name, after, limit) =>
    read(async (table) => {
      const keys = KEYS[name];
      const query = table(name)
        .orderBy([...keys])
        .limit(limit);
      if (after !== undefined) {
        const places = keys.map(() => "?").join(", ");
        query.whereRaw(
          `(${keys.join(", ")}) > (${places})`,
          keys.map((key) => after[key] ?? null),
        );
      }
      return await query;
    });

/** The rows of a table in the order of their keys, in batches of a bounded size. */
async function* batches(table: MovedTable, read: Reader, after?: Row): AsyncGenerator<Row[]> {
  let limit = FIRST_ROWS;
  for (let last = after; ; ) {
    const rows = await read(table, last, limit);
    if (rows.length > 0) yield rows;
    if (rows.length < limit) return;
    last = rows.at(-1);
    const bytes = rows.reduce((sum, row) => sum + sizeOf(row), 0);
    limit = Math.max(1, Math.min(MAX_ROWS, Math.floor((rows.length * BATCH_BYTES) / Math.max(1, bytes))));
  }
}

const sizeOf = (row: Row): number =>
  Object.values(row).reduce<number>((sum, value) => sum + (typeof value === "string" ? value.length : 8), 0);

async function copy(table: MovedTable, from: Reader, target: Storage, after: Row | undefined): Promise<number> {
  let copied = 0;
  for await (const rows of batches(table, from, after)) {
    const into: Query = target.table(table);
    await target.write([{ query: into.insert(rows) }]);
    copied += rows.length;
  }
  return copied;
}

/**
 * Compares row by row. `prefix`: the target may end before the source does. Returns how many rows are equal, the last
 * of them and the hash of all.
 */
async function compare(table: MovedTable, from: Reader, to: Reader, extent: "all" | "prefix") {
  const [ours, theirs] = [rowsOf(batches(table, from)), rowsOf(batches(table, to))];
  const hash: Hash = createHash("sha256");
  let [rows, last]: [number, Row | undefined] = [0, undefined];
  for (;;) {
    const their = await theirs.next();
    if (their.done === true && extent === "prefix") break;
    const our = await ours.next();
    if (our.done === true && their.done === true) break;
    const [one, other] = [our.value, their.value].map((row) => (row ? textOf(row) : "no row"));
    if (one !== other) throw new MoveError(describeDifference(table, rows, our.value, their.value));
    hash.update(`${one}\n`);
    rows += 1;
    last = their.value ?? undefined;
  }
  return { rows, last, hash: hash.digest("hex") };
}

async function* rowsOf(all: AsyncGenerator<Row[]>): AsyncGenerator<Row, undefined> {
  for await (const rows of all) yield* rows;
}

/** The same for rows that are equal, in whatever order a database gives their columns. */
const textOf = (row: Row): string =>
  JSON.stringify(Object.entries(row).sort(([one], [other]) => (one < other ? -1 : 1)));

function describeDifference(table: MovedTable, equal: number, our: Row | undefined, their: Row | undefined): string {
  const keyOf = (row: Row | undefined) => (row ? KEYS[table].map((key) => row[key]).join(", ") : "no row");
  const columns = our && their ? Object.keys(our).filter((name) => our[name] !== their[name]) : [];
  return [
    `table ${table} differs after ${equal} equal rows:`,
    `the source has ${keyOf(our)}, the target ${keyOf(their)}${columns.length > 0 ? ` (${columns.join(", ")})` : ""}.`,
    "Either the source was written meanwhile, or the target holds other data.",
  ].join(" ");
}
