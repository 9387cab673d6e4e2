import { newId } from "@agent-paas/shared/ids.ts";
import { expect, test } from "vitest";
import { collectionRow, type OpenStorage, openParts } from "./storage-parts.ts";

/** Batches on the table of collections, whose rows are named here by numbers. */
async function openBatches(open: OpenStorage) {
  const { table, write } = await openParts(open);
  const insert = (...numbers: readonly number[]) => ({
    query: table("collections").insert(numbers.map((number) => collectionRow({ name: `${number}` }))),
  });
  const guardOn = (...numbers: readonly number[]) => ({
    query: table("collections").whereIn("name", numbers.map(String)).update({ embedding: "seen" }),
    guard: true,
  });
  // Columns that must not be null are missing.
  const broken = { query: table("collections").insert({ id: newId() }) };
  const stored = async () => (await table("collections").orderBy("name").pluck("name")).map(Number);
  return { write, insert, guardOn, broken, stored };
}

export function batchContract(open: OpenStorage): void {
  test("the statements of a batch run in their order, before `beforeCommit`", async () => {
    const { write, insert, guardOn, stored } = await openBatches(open);
    let calls = 0;
    const isWritten = await write([insert(1), guardOn(1), insert(2)], {
      beforeCommit: () => {
        calls += 1;
      },
    });
    expect([isWritten, calls]).toEqual([true, 1]);
    expect(await stored()).toEqual([1, 2]);
  });

  test.each([
    ["no row", [9]],
    ["two rows", [1, 2]],
  ])("a batch whose guard touches %s writes nothing", async (_, touched) => {
    const { write, insert, guardOn, stored } = await openBatches(open);
    await write([insert(1, 2)]);
    let calls = 0;
    const isWritten = await write([insert(3), guardOn(...touched), insert(4)], {
      beforeCommit: () => {
        calls += 1;
      },
    });
    expect([isWritten, calls]).toEqual([false, 0]);
    expect(await stored()).toEqual([1, 2]);
  });

  test("a batch whose statement fails writes nothing and rejects with storage_unavailable", async () => {
    const { write, insert, broken, stored } = await openBatches(open);
    await expect(write([insert(1), broken])).rejects.toMatchObject({ code: "storage_unavailable" });
    expect(await stored()).toEqual([]);
  });

  test("a batch whose guard fails leaves the batches written in the same iteration of the event loop", async () => {
    const { write, insert, guardOn, stored } = await openBatches(open);
    const written = await Promise.all([
      write([insert(1)]),
      write([insert(2), guardOn(9)]),
      write([guardOn(1), insert(3)]),
    ]);
    expect(written).toEqual([true, false, true]);
    expect(await stored()).toEqual([1, 3]);
  });

  test("a batch whose statement fails leaves the batches written in the same iteration of the event loop", async () => {
    const { write, insert, broken, stored } = await openBatches(open);
    const [first, failed, last] = await Promise.allSettled([
      write([insert(1)]),
      write([insert(2), broken]),
      write([insert(4)]),
    ]);
    expect([first, last]).toEqual([1, 4].map(() => ({ status: "fulfilled", value: true })));
    expect(failed).toMatchObject({ status: "rejected", reason: { code: "storage_unavailable" } });
    expect(await stored()).toEqual([1, 4]);
  });

  test("of two batches that guard the same state and change it, one is written", async () => {
    const { table, write } = await openParts(open);
    await write([{ query: table("collections").insert(collectionRow({ name: "contested" })) }]);
    const take = (embedding: string) =>
      write([{ query: table("collections").where({ embedding: "local" }).update({ embedding }), guard: true }]);
    const taken = await Promise.all([take("first"), take("second")]);
    expect(taken.filter(Boolean)).toHaveLength(1);
  });

  test("a prepared statement writes the values of each call", async () => {
    const { table, storage } = await openParts(open);
    const insert = storage.prepareWrite<{ id: string; name: string }>(({ id, name }) =>
      table("collections").insert({ ...collectionRow(), id, name }),
    );
    const rows = [collectionRow({ name: "first" }), collectionRow({ name: "second" })];
    await storage.write(rows.map(({ id, name }) => ({ query: insert({ id, name }) })));
    const read = storage.prepareRead<{ name: string }, { id: string }>(({ id }) =>
      table("collections").where("id", storage.sql.hideFromPlanner(id)).select("name"),
    );
    expect(await Promise.all(rows.map(({ id }) => read({ id })))).toEqual([[{ name: "first" }], [{ name: "second" }]]);
  });
}
