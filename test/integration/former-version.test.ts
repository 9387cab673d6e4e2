/**
 * An upgrade from 0.1.0 with work under way: every job that the former version accepted ends as it would have, every
 * stream goes on behind what its client has seen, and nothing in Redis or in the database keeps a former name.
 */
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { expectOneDone, expectRisingIds } from "../support/expect-stream.ts";
import { readRecording, restore } from "../support/former-version.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";

const VERSION = "0.1.0";
const { ids } = await readRecording(VERSION);
const idOf = (name: string): string => ids[name] ?? "";
/** The last event that the client of the interrupted chat has seen. */
const SEEN = 51;

let platform: TestPlatform;

beforeAll(async () => {
  platform = await startTestPlatform({
    prepare: (state) => restore(VERSION, state),
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
  const stream = await platform.alice.follow(idOf("interrupted"), SEEN);
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
