/**
 * The API never writes the database: its handle refuses writes, and the API process has the file open for reading only.
 */
import { constants } from "node:fs";
import { readdir, readFile, readlink, realpath } from "node:fs/promises";
import { openReadonlyDatabase } from "@agent-paas/shared/db/sqlite/open-database.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";

let platform: TestPlatform;
let jobId: string;
beforeAll(async () => {
  platform = await startTestPlatform();
  jobId = await platform.alice.execute("[[text=Done]] Make a row");
  await platform.alice.ended(jobId);
});
afterAll(() => platform.stop());

test.each([
  ["insert", "insert into sessions (id, owner) values ('1', 'eve')"],
  ["update", "update agent_logs set owner = 'eve'"],
  ["delete", "delete from agent_logs"],
  ["create", "create table notes (id)"],
  ["drop", "drop table messages"],
  ["alter", "alter table sessions add column note"],
  ["pragma", "pragma user_version = 7"],
  ["vacuum", "vacuum"],
])("the API's handle refuses to %s", async (_what, sql) => {
  const db = openReadonlyDatabase(platform.databaseFile);
  try {
    expect(await db("agent_logs").pluck("id")).toEqual([jobId]);
    await expect(db.raw("pragma query_only = OFF").then(() => db.raw(sql))).rejects.toThrow(/readonly/);
  } finally {
    await db.destroy();
  }
});

// From /proc (Linux only).
test("a running API has the database file open for reading only", async () => {
  expect((await platform.alice.get(`/jobs/${jobId}`)).status).toBe(200);
  const [api, worker] = [platform.apis[0]?.pid ?? 0, platform.workers[0]?.pid ?? 0];
  const modes = { api: await accessModes(api), worker: await accessModes(worker) };
  expect(modes).toEqual({ api: [constants.O_RDONLY], worker: [constants.O_RDWR] });
});

/** The modes in which a process has the database file open, each mode once. */
async function accessModes(pid: number): Promise<number[]> {
  const file = await realpath(platform.databaseFile);
  const modes = new Set<number>();
  for (const fd of await readdir(`/proc/${pid}/fd`)) {
    const target = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => null);
    if (target !== file) continue;
    const info = await readFile(`/proc/${pid}/fdinfo/${fd}`, "utf8");
    const flags = Number.parseInt(/^flags:\s+(\d+)$/m.exec(info)?.[1] ?? "", 8);
    modes.add(flags & (constants.O_RDONLY | constants.O_WRONLY | constants.O_RDWR));
  }
  return [...modes];
}
