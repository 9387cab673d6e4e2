/**
 * Errors of PostgreSQL that pass, on a real server: a batch that meets one is tried again until it is written, and is
 * not reported as an outage of the database. Poolers that lose a connection's settings are refused by name.
 */
import { openReadStorage, openStorage } from "@agent-paas/shared/db/open-storage.ts";
import type { Storage } from "@agent-paas/shared/db/storage.ts";
import { newId } from "@agent-paas/shared/ids.ts";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { createJobReader } from "../../apps/api/src/storage/job-reader.ts";
import { migrate } from "../../apps/worker/src/storage/migrate.ts";
import { collectionRow } from "../contract/storage-parts.ts";
import { startPooler } from "../support/pooler.ts";
import { createDatabase, queryOn } from "../support/postgres.ts";
import { sharedPostgres } from "../support/shared-postgres.ts";
import { settledWithin } from "../support/wait-for.ts";

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

/** From now on, the first `times` inserts of a collection fail with the state. A sequence is not rolled back. */
const failInserts = (state: string, times: number) =>
  queryOn(
    url,
    `create sequence tries;
     create function fail() returns trigger language plpgsql as $$
     begin
       if nextval('tries') <= ${times} then raise exception 'of a test' using errcode = '${state}'; end if;
       return new;
     end $$;
     create trigger failing before insert on collections for each row execute function fail()`,
  );

const insert = () => storage.write([{ query: storage.table("collections").insert(collectionRow()) }]);

test.each(["53100", "53200", "53300", "57P01", "57P03", "25006", "40P01", "55P03", "58030"])(
  "a batch that meets %s twice is written at the third try",
  async (state) => {
    await failInserts(state, 2);
    expect(await insert()).toBe(true);
    expect(storage.canWrite()).toBe(true);
    expect(await storage.table("collections")).toHaveLength(1);
  },
);

test("a batch that the database refuses for its content is not tried again", async () => {
  await failInserts("23514", 1);
  await expect(insert()).rejects.toMatchObject({ code: "storage_unavailable" });
  expect(await insert()).toBe(true);
});

test("a disk that stays full for one table fails its batches at the end of their patience, and no others", async () => {
  const impatient = openStorage(url, 500);
  onTestFinished(() => impatient.close());
  await failInserts("53100", 1_000_000);
  const { table, write } = impatient;
  await expect(write([{ query: table("collections").insert(collectionRow()) }])).rejects.toThrow();
  const session = { id: newId(), owner: "alice", agent_type: "chat_basic", config: "{}", metadata: "{}" };
  const times = { created_at: "now", updated_at: "now" };
  expect(await write([{ query: table("sessions").insert({ ...session, ...times }) }])).toBe(true);
  expect(impatient.canWrite()).toBe(true);
});

test.each([
  ["refuses", "A pooler refuses the settings of the connection"],
  ["ignores", "for a connection that asked for"],
] as const)("a pooler that %s the settings of connections is refused by name, at once", async (way, words) => {
  const pooler = await startPooler(url, way);
  const behind = openStorage(pooler.url, 60_000);
  const reader = openReadStorage(pooler.url);
  onTestFinished(async () => {
    await Promise.all([behind.close(), reader.close()]);
    await pooler.close();
  });
  await expect(settledWithin("the refusal", 20_000, migrate(behind))).rejects.toThrow(words);
  const read = createJobReader(reader).find("alice", newId());
  await expect(read).rejects.toMatchObject({
    code: "database_unavailable",
    cause: { message: expect.stringContaining("PgBouncer in transaction mode is not supported") },
  });
});
