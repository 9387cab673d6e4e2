/** Batches that come at once share transactions on PostgreSQL; each is still written whole or not at all. */
import { openStorage } from "@agent-paas/shared/db/open-storage.ts";
import type { Storage, WriteStatement } from "@agent-paas/shared/db/storage.ts";
import { newId } from "@agent-paas/shared/ids.ts";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { migrate } from "../../apps/worker/src/storage/migrate.ts";
import { collectionRow } from "../contract/storage-parts.ts";
import { createDatabase, queryOn } from "../support/postgres.ts";
import { sharedPostgres } from "../support/shared-postgres.ts";

let url: string;
let storage: Storage;
beforeEach(async () => {
  const database = await createDatabase(await sharedPostgres());
  url = database.url;
  storage = openStorage(url);
  onTestFinished(async () => {
    await storage.close();
    await database.drop();
  });
  await migrate(storage);
});

const insert = (name: string): WriteStatement => ({
  query: storage.table("collections").insert({ ...collectionRow(), id: newId(), name }),
});
const missing = (): WriteStatement => ({
  query: storage.table("collections").where({ id: newId() }).update({ name: "none" }),
  guard: true,
});
const names = () => storage.table("collections").orderBy("name").pluck("name");
const transactions = async () => (await queryOn(url, "select distinct xmin::text from collections")).length;

test("fifty batches that come at once are written in few transactions", async () => {
  const written = await Promise.all(Array.from({ length: 50 }, (_, at) => storage.write([insert(`c${at}`)])));
  expect(written).toEqual(Array.from({ length: 50 }, () => true));
  expect(await names()).toHaveLength(50);
  expect(await transactions()).toBeLessThanOrEqual(5);
});

test("a batch whose guard fails and one that is refused leave nothing, and the others of their group are written", async () => {
  const outcomes = await Promise.allSettled([
    storage.write([insert("first")]),
    storage.write([insert("half"), missing()]),
    storage.write([insert("twice")]),
    storage.write([insert("refused"), insert("refused")]),
    storage.write([insert("last")]),
  ]);
  const brief = outcomes.map((outcome) => (outcome.status === "fulfilled" ? outcome.value : outcome.reason.code));
  expect(brief).toEqual([true, false, true, "storage_unavailable", true]);
  expect(await names()).toEqual(["first", "last", "twice"]);
});

test("batches that must come one after the other keep their order beside a group", async () => {
  const order: string[] = [];
  const write = (name: string, inOrder?: string) =>
    storage.write([insert(name)], inOrder === undefined ? {} : { inOrder }).then(() => order.push(name));
  await Promise.all([write("a1", "a"), write("x"), write("a2", "a"), write("y"), write("a3", "a")]);
  expect(order.filter((name) => name.startsWith("a"))).toEqual(["a1", "a2", "a3"]);
  expect(await names()).toHaveLength(5);
});
