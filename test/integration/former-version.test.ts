/**
 * An upgrade from former versions with work under way: every job that one accepted ends as it would have, every stream
 * goes on behind what its client has seen, and nothing in Redis or in the database keeps a former name. While both
 * versions run, the former one reads what this one writes.
 */
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { queuedData } from "../support/bullmq.ts";
import { expectOneDone, expectRisingIds } from "../support/expect-stream.ts";
import { openFormerTables, readRecording, readSchemas, restore } from "../support/former-version.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";

/** 0.1.0, and the code before the order of the event log became its fence. */
describe.each(["0.1.0", "2026-11-28"])("the state that version %s left", async (version) => {
  const { ids, keys } = await readRecording(version);
  const idOf = (name: string): string => ids[name] ?? "";
  /** The last event of the interrupted chat, which its client has seen: the first half of an entry's id. */
  const seen = keys.flatMap((entry) =>
    entry.type === "stream" && entry.key.endsWith(`:events:${idOf("interrupted")}`)
      ? Number(entry.value.at(-1)?.[0].split("-")[0])
      : [],
  )[0];

  let platform: TestPlatform;

  beforeAll(async () => {
    platform = await startTestPlatform({
      prepare: (state) => restore(version, state),
      // The recording ages, and its jobs must not be deleted for that.
      env: { JOB_RETENTION_DAYS: "0" },
    });
  });
  afterAll(() => platform.stop());

  test("a finished chat of the former version keeps its history, its job and its event log", async () => {
    const { alice } = platform;
    const history = await alice.get(`/chat/history?session_id=${idOf("doneSession")}`);
    expect(history.body.messages).toMatchObject([
      { role: "user", content: "[[text=A]] first" },
      { role: "assistant", content: "A" },
    ]);
    const job = await alice.get(`/jobs/${idOf("done")}`);
    expect(job.body).toMatchObject({ status: "completed", attempt: 1, result: { content: "A" } });
    const events = await (await alice.follow(idOf("done"))).all();
    expect(events.map(({ id, event }) => [id, event])).toEqual([
      [1, "thought"],
      [2, "message"],
      [3, "done"],
    ]);
  });

  test("a chat whose worker of the former version was killed starts over behind what its client has seen", async () => {
    const stream = await platform.alice.follow(idOf("interrupted"), seen);
    const events = await stream.all();
    expectRisingIds(events);
    expectOneDone(events, "the interrupted chat");
    expect(events[0]).toMatchObject({ event: "thought", data: { type: "retry", attempt: 2 } });
    expect(events[0]?.id).toBeGreaterThan(100_000);
    expect(await platform.alice.ended(idOf("interrupted"))).toMatchObject({ status: "completed", attempt: 2 });
  });

  test("a message that waited in the session's queue of the former version runs behind the one before it", async () => {
    const { alice } = platform;
    const [former, next] = [await alice.ended(idOf("interrupted")), await alice.ended(idOf("follows"))];
    expect(next).toMatchObject({ status: "completed", session_id: idOf("session") });
    expect(next.started_at >= former.finished_at).toBe(true);
    const history = await alice.get(`/chat/history?session_id=${idOf("session")}`);
    const roles = history.body.messages.map(({ role }: { role: string }) => role);
    expect(roles).toEqual(["user", "assistant", "user", "assistant"]);
  });

  test("waiting jobs of the former version run, and a cancel that it accepted is carried out", async () => {
    const { alice } = platform;
    expect(await alice.ended(idOf("waiting"))).toMatchObject({ status: "completed", attempt: 1 });
    expect(await alice.ended(idOf("cancelled"))).toMatchObject({ status: "cancelled" });
  });

  test("no former name is left in Redis or in the database", async () => {
    const { redis, keys, databaseFile } = platform;
    const jobIds = ["done", "finishedExecute", "interrupted"].map(idOf);
    const fields = await Promise.all(jobIds.map((id) => redis.hkeys(keys.jobState(id))));
    expect(fields.flat().filter((field) => ["attempt", "runs", "open_runs", "apart"].includes(field))).toEqual([]);
    expect(await redis.exists(keys.formerSessionQueue(idOf("session")))).toBe(0);
    const database = new DatabaseSync(databaseFile, { readOnly: true });
    onTestFinished(() => void database.close());
    const columns = database
      .prepare("select name from pragma_table_info('agent_logs')")
      .all()
      .map(({ name }) => name);
    expect(columns).toEqual(expect.arrayContaining(["attempts", "fencing_token"]));
    expect(columns).not.toContain("runs");
  });
});

describe("what this version writes, while workers and APIs of the former one still run", async () => {
  const { payload, queuedPayload } = await readSchemas("2026-11-28");

  let platform: TestPlatform;

  beforeAll(async () => {
    platform = await startTestPlatform();
  });
  afterAll(() => platform.stop());

  test("jobs of this API are read by the former version's workers", async () => {
    const { alice, workers } = platform;
    await workers[0]?.kill();
    const metadata = { ticket: "7" };
    const chat = await alice.chat({ message: "hello", metadata }, { traceparent: TRACEPARENT });
    const large = await alice.execute("x".repeat(60_000), { input: { rows: [1, 2, 3] }, metadata });
    const limits = { max_steps: 3, deadline_ms: 60_000 };
    const limited = await alice.execute("limited", { limits, config: { temperature: 0.5 } });
    const [first, second, third] = await Promise.all([
      queuedData(platform, "chat", chat.jobId),
      queuedData(platform, "execute", large),
      queuedData(platform, "execute", limited),
    ]);
    expect([first, third].map((data) => payload.safeParse(data).error)).toEqual([undefined, undefined]);
    expect([first, second, third].map((data) => queuedPayload.safeParse(data).error)).toEqual([
      ...[undefined, undefined, undefined],
    ]);
    expect(payload.safeParse({ ...(first as object), job_id: 7 }).success).toBe(false);
  });

  test("an entry of the event log is a text of whole frames under one field, as the former code reads it", async () => {
    const { alice, redis, keys, startWorker } = platform;
    await startWorker();
    const { body } = await alice.chatWhole("[[tokens=20]] hello");
    const entries = await redis.xrange(keys.eventLog(body.job_id), "-", "+");
    expect(entries.length).toBeGreaterThan(1);
    for (const [id, fields] of entries) {
      const [field, text = ""] = fields;
      expect([field, fields.length, text.slice(-2)]).toEqual(["b", 2, "\n\n"]);
      const numbers = [...text.matchAll(/^id: (\d+)$/gm)].map(([, number]) => Number(number));
      // The first half of the entry's id is its last event.
      expect(numbers.at(-1)).toBe(Number(id.split("-")[0]));
    }
  });

  test("every column of the former version is there, and a row that it writes needs no further one", async () => {
    const former = await openFormerTables("2026-11-28");
    const present = new DatabaseSync(platform.databaseFile, { readOnly: true });
    onTestFinished(() => {
      former.close();
      present.close();
    });
    const tables = columnsOf(former);
    expect(tables.size).toBeGreaterThan(5);
    for (const [table, columns] of tables) {
      const now = columnsOf(present).get(table) ?? [];
      expect(now, table).toEqual(expect.arrayContaining(columns));
      const added = now.filter(({ name }) => !columns.some((column) => column.name === name));
      expect(added.filter(({ notnull, dflt_value }) => notnull === 1 && dflt_value === null)).toEqual([]);
    }
  });
});

const TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

type Column = { readonly name: string; readonly type: string; readonly notnull: number; readonly dflt_value: unknown };

function columnsOf(database: DatabaseSync): Map<string, Column[]> {
  const columns = database
    .prepare(
      `select m.name as tbl, c.name, c.type, c."notnull", c.dflt_value from sqlite_master m, pragma_table_info(m.name) c
       where m.type = 'table' and m.name not like 'sqlite_%' and m.name not like 'knex_%'`,
    )
    .all() as (Column & { readonly tbl: string })[];
  const tables = Map.groupBy(columns, ({ tbl }) => tbl);
  return new Map([...tables].map(([table, found]) => [table, found.map(({ tbl: _, ...column }) => column)]));
}
