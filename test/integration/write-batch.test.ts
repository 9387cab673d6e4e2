/** Batches written in one turn of the event loop share a transaction; each is kept or dropped independently. */
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { writeBatch } from "../../apps/worker/src/storage/write-batch.ts";
import { openTestDatabase } from "../support/test-database.ts";

async function openTable() {
  const { db, file } = await openTestDatabase();
  await db.schema.createTable("notes", (table) => {
    table.integer("id").primary();
    table.string("text").notNullable();
  });
  const insert = (id: number, text: string | null = "kept") => ({ query: db("notes").insert({ id, text }) });
  const onlyIf = (id: number) => ({ query: db("notes").where({ id }).update({ text: "seen" }), guard: true });
  const ids = () => db("notes").orderBy("id").pluck("id");
  return { db, file, insert, onlyIf, ids };
}

test("a batch whose guard touches no row is dropped, and the batches beside it are kept", async () => {
  const { db, insert, onlyIf, ids } = await openTable();
  const written = await Promise.all([
    writeBatch(db, [insert(1)]),
    writeBatch(db, [insert(2), onlyIf(99)]),
    writeBatch(db, [onlyIf(1), insert(3)]),
  ]);
  expect(written).toEqual([true, false, true]);
  expect(await ids()).toEqual([1, 3]);
});

test("a batch that fails leaves the batches beside it", async () => {
  const { db, insert, ids } = await openTable();
  const [first, broken, last] = await Promise.allSettled([
    writeBatch(db, [insert(1)]),
    writeBatch(db, [insert(2), insert(3, null)]),
    writeBatch(db, [insert(4)]),
  ]);
  expect([first, last]).toEqual([1, 4].map(() => ({ status: "fulfilled", value: true })));
  expect(broken).toMatchObject({ status: "rejected", reason: { code: "storage_unavailable" } });
  expect(await ids()).toEqual([1, 4]);
});

test("many batches of one turn of the event loop are one commit", async () => {
  const { db, file, insert, ids } = await openTable();
  const before = await commitsOf(file);
  await Promise.all(Array.from({ length: 50 }, (_, id) => writeBatch(db, [insert(id)])));
  expect(await ids()).toHaveLength(50);
  expect((await commitsOf(file)) - before).toBe(1);
});

const [WAL_HEADER, FRAME_HEADER] = [32, 24];

/** Counts the frames that end a transaction in the write-ahead log: they carry the size of the database. */
async function commitsOf(file: string): Promise<number> {
  const wal = await readFile(`${file}-wal`);
  const frame = FRAME_HEADER + wal.readUInt32BE(8);
  const frames = Array.from(
    { length: Math.floor((wal.length - WAL_HEADER) / frame) },
    (_, no) => WAL_HEADER + no * frame,
  );
  return frames.filter((at) => wal.readUInt32BE(at + 4) !== 0).length;
}
