/**
 * The part of a session that the model gets, and its cost: a chat costs the platform as much in a session of 10,000
 * messages as in one of 50.
 */
import { openStorage } from "@agent-paas/shared/db/open-storage.ts";
import type { SqliteDatabase, SqliteHandle } from "@agent-paas/shared/db/sqlite/open-database.ts";
import type { Storage } from "@agent-paas/shared/db/storage.ts";
import { expect, onTestFinished, test } from "vitest";
import { createSessionReader } from "../../apps/api/src/storage/session-reader.ts";
import { createJobRepository } from "../../apps/worker/src/storage/job-repository.ts";
import { createSessionRepository, type HistoryRow } from "../../apps/worker/src/storage/session-repository.ts";
import { jobEnd } from "../support/job-end.ts";
import { jobPayload } from "../support/job-payload.ts";
import { startTestPlatform } from "../support/platform.ts";
import { seedSession } from "../support/seed-session.ts";
import { shownText } from "../support/sse-client.ts";
import { openTestDatabase, readThrough } from "../support/test-database.ts";

/** Pairs of a question and its answer. */
const [SHORT, LONG] = [25, 5_000];

const payloadIn = (session_id: string, text: string) => jobPayload({ kind: "chat", session_id, text });

/** Records every statement prepared on the handle after this call, and counts the rows read. */
async function recordStatements(db: SqliteDatabase) {
  const handle: SqliteHandle = await db.client.acquireConnection();
  db.client.releaseConnection(handle);
  const prepare = handle.prepare.bind(handle);
  const statements: string[] = [];
  Object.assign(handle, {
    prepare(sql: string) {
      statements.push(sql);
      return prepare(sql);
    },
  });
  let rows = 0;
  db.on("query-response", (answer: unknown) => {
    if (Array.isArray(answer)) rows += answer.length;
  });
  return {
    statements,
    rows: () => rows,
    /** The query plan of each statement. */
    plans: () =>
      statements.map((sql) => {
        const bindings = Array.from({ length: sql.split("?").length - 1 }, () => null);
        const steps = prepare(`explain query plan ${sql}`).all(...bindings) as { detail: string }[];
        return { sql, steps: steps.map(({ detail }) => detail) };
      }),
  };
}

/** All database work of the worker and the API for one chat, and for two pages of the history. */
async function oneChat(storage: Storage, sessionId: string): Promise<HistoryRow[]> {
  const jobs = createJobRepository(storage, "w");
  const payload = payloadIn(sessionId, "And now?");
  await jobs.start(payload, 1);
  const history = await createSessionRepository(storage).latestMessages(sessionId, payload.job_id, {
    maxTokens: 8_000,
  });
  await jobs.end(payload, 1, jobEnd("Now."));
  const reader = createSessionReader(readThrough(storage));
  await reader.find("alice", sessionId);
  const page = await reader.messages("alice", sessionId, { limit: 20 });
  const next = await reader.messages("alice", sessionId, { limit: 20, before: page[0]?.id ?? "" });
  expect([page.length, next.length]).toEqual([20, 20]);
  return history;
}

test("a chat in a session of 10,000 messages reads and writes as much as a chat in one of 50", async () => {
  const { db, storage } = await openTestDatabase();
  const [short, long] = [await seedSession(storage, "alice", SHORT), await seedSession(storage, "alice", LONG)];
  // Statements that are prepared once per handle are prepared by this chat.
  await oneChat(storage, await seedSession(storage, "alice", SHORT));
  const record = await recordStatements(db);

  const shortHistory = await oneChat(storage, short);
  const shortWork = [record.rows(), record.statements.length];
  const longHistory = await oneChat(storage, long);
  const longWork = [record.rows() - (shortWork[0] ?? 0), record.statements.length - (shortWork[1] ?? 0)];
  expect(longWork).toEqual(shortWork);
  expect(longHistory.map(({ content }) => content)).toEqual(shortHistory.map(({ content }) => content));
  expect(shortHistory.length).toBeGreaterThan(30);
});

test("no statement of a chat scans a table or sorts", async () => {
  const { db, storage } = await openTestDatabase();
  const sessionId = await seedSession(storage, "alice", SHORT);
  const record = await recordStatements(db);
  await oneChat(storage, sessionId);
  const plans = record.plans();
  expect(plans.filter(({ steps }) => steps.some((step) => /\bSCAN (?!CONSTANT)|TEMP B-TREE/.test(step)))).toEqual([]);
  // The next ordinal is the end of an index, and the newest messages are a range of it.
  const byPlace = /SEARCH messages USING (COVERING )?INDEX messages_session_id_ordinal_unique/;
  expect(plans.filter(({ steps }) => steps.some((step) => byPlace.test(step))).length).toBeGreaterThanOrEqual(4);
});

test("the model gets as much of a session of 10,000 messages as of one of 50", async () => {
  const platform = await startTestPlatform();
  onTestFinished(() => platform.stop());
  const storage = openStorage(platform.databaseUrl);
  onTestFinished(() => storage.close());
  const config = { system_prompt: "You are brief.", history_tokens: 5_000 };
  const asked = [];
  for (const turns of [SHORT, LONG]) {
    const session_id = await seedSession(storage, "alice", turns);
    const message = `[[text=Now.]] And now, after ${String(turns).padStart(4, "0")} turns?`;
    const chat = await platform.alice.chat({ session_id, message, config });
    const events = await chat.all();
    expect(shownText(events)).toBe("Now.");
    const [call] = await platform.model.calls({ contains: message });
    const { messages } = await platform.model.call(call?.id ?? 0);
    asked.push({ messages, usage: events.at(-1)?.data.usage });
    const latest = (await platform.alice.history(session_id)).slice(-2);
    expect(latest.map(({ content }) => content)).toEqual([message, "Now."]);
  }
  const [short, long] = asked;
  expect(short?.messages?.slice(0, 2)).toMatchObject([
    { role: "system", content: "You are brief." },
    // 24 messages of 206 and 207 tokens.
    { role: "user", content: expect.stringMatching(/^user 12 turns ago: /) },
  ]);
  expect(short?.messages?.at(-2)).toMatchObject({
    role: "assistant",
    content: expect.stringMatching(/^assistant 1 turns ago: /),
  });
  expect(long?.messages?.slice(0, -1)).toEqual(short?.messages?.slice(0, -1));
  expect(long?.usage).toEqual(short?.usage);
});
