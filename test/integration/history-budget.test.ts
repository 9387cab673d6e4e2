/**
 * The part of a session that the model gets: the latest questions with their answers, as many pairs as fit into the token
 * budget. A chat costs the platform as much in a session of 10,000 messages as in one of 50.
 */
import type { SqliteHandle } from "@agent-paas/shared/db/open-database.ts";
import { openWritableDatabase } from "@agent-paas/shared/db/open-database.ts";
import { newId } from "@agent-paas/shared/ids.ts";
import type { Knex } from "knex";
import { expect, onTestFinished, test } from "vitest";
import { createSessionReader } from "../../apps/api/src/storage/session-reader.ts";
import { createJobRepository } from "../../apps/worker/src/storage/job-repository.ts";
import { createSessionRepository, type HistoryRow } from "../../apps/worker/src/storage/session-repository.ts";
import { jobEnd } from "../support/job-end.ts";
import { jobPayload } from "../support/job-payload.ts";
import { startTestPlatform } from "../support/platform.ts";
import { seedSession } from "../support/seed-session.ts";
import { shownText } from "../support/sse-client.ts";
import { openTestDatabase } from "../support/test-database.ts";

/** Pairs of a question and its answer. */
const [SHORT, LONG] = [25, 5_000];

const payloadIn = (session_id: string, text: string) => jobPayload({ kind: "chat", session_id, text });

/** A session of these questions, each with its answer where there is one. */
async function sessionOf(...pairs: readonly (readonly [string, string?])[]) {
  const { db } = await openTestDatabase();
  const jobs = createJobRepository(db, "w");
  const sessionId = newId();
  const jobIds: string[] = [];
  for (const [question, answer = ""] of pairs) {
    const payload = payloadIn(sessionId, question);
    jobIds.push(payload.job_id);
    await jobs.start(payload, 1);
    await jobs.end(payload, 1, jobEnd(answer));
  }
  const latest = async (maxTokens: number, jobId = newId()) =>
    (await createSessionRepository(db).latestMessages(sessionId, jobId, maxTokens)).map(({ content }) => content);
  return { latest, jobIds };
}

test("a question and its answer are kept together, the latest first", async () => {
  const { latest } = await sessionOf(["one two three", "four five six"], ["seven", "eight"], ["nine", "ten"]);
  expect(await latest(1_000)).toEqual(["one two three", "four five six", "seven", "eight", "nine", "ten"]);
  // The first answer would fit, but not together with its question.
  expect(await latest(8)).toEqual(["seven", "eight", "nine", "ten"]);
  expect(await latest(4)).toEqual(["seven", "eight", "nine", "ten"]);
  expect(await latest(3)).toEqual(["nine", "ten"]);
  expect(await latest(1)).toEqual([]);
  expect(await latest(0)).toEqual([]);
});

test("a question without an answer is kept", async () => {
  const { latest } = await sessionOf(["one", "two"], ["three"], ["four", "five"]);
  expect(await latest(3)).toEqual(["three", "four", "five"]);
});

test("a question whose answer is larger than the budget is left out with all messages before it", async () => {
  const large = "word ".repeat(500);
  const before = await sessionOf(["one", "two"], ["three", large], ["four", "five"]);
  expect(await before.latest(100)).toEqual(["four", "five"]);
  const last = await sessionOf(["one", "two"], [large, "three"]);
  expect(await last.latest(100)).toEqual([]);
});

test("the history of a job does not contain its own message", async () => {
  const { latest, jobIds } = await sessionOf(["one", "two"], ["three"]);
  expect(await latest(100, jobIds[1])).toEqual(["one", "two"]);
});

test("a budget of more than one page of messages is filled without a gap", async () => {
  const { db } = await openTestDatabase();
  const sessionId = await seedSession(db, "alice", 130);
  const rows = await createSessionRepository(db).latestMessages(sessionId, newId(), 1_000_000);
  expect(rows.map(({ ordinal }) => ordinal)).toEqual(Array.from({ length: 260 }, (_, at) => at + 1));
});

/** Records every statement prepared on the handle after this call, and counts the rows read. */
async function recordStatements(db: Knex) {
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
async function oneChat(db: Knex, sessionId: string): Promise<HistoryRow[]> {
  const jobs = createJobRepository(db, "w");
  const payload = payloadIn(sessionId, "And now?");
  await jobs.start(payload, 1);
  const history = await createSessionRepository(db).latestMessages(sessionId, payload.job_id, 8_000);
  await jobs.end(payload, 1, jobEnd("Now."));
  const reader = createSessionReader({ read: (query) => query(db), close: async () => {} });
  await reader.find("alice", sessionId);
  const page = await reader.messages("alice", sessionId, { limit: 20 });
  const next = await reader.messages("alice", sessionId, { limit: 20, before: page[0]?.id ?? "" });
  expect([page.length, next.length]).toEqual([20, 20]);
  return history;
}

test("a chat in a session of 10,000 messages reads and writes as much as a chat in one of 50", async () => {
  const { db } = await openTestDatabase();
  const [short, long] = [await seedSession(db, "alice", SHORT), await seedSession(db, "alice", LONG)];
  // Statements that are prepared once per handle are prepared by this chat.
  await oneChat(db, await seedSession(db, "alice", SHORT));
  const record = await recordStatements(db);

  const shortHistory = await oneChat(db, short);
  const shortWork = [record.rows(), record.statements.length];
  const longHistory = await oneChat(db, long);
  const longWork = [record.rows() - (shortWork[0] ?? 0), record.statements.length - (shortWork[1] ?? 0)];
  expect(longWork).toEqual(shortWork);
  expect(longHistory.map(({ content }) => content)).toEqual(shortHistory.map(({ content }) => content));
  expect(shortHistory.length).toBeGreaterThan(30);
});

test("no statement of a chat scans a table or sorts", async () => {
  const { db } = await openTestDatabase();
  const sessionId = await seedSession(db, "alice", SHORT);
  const record = await recordStatements(db);
  await oneChat(db, sessionId);
  const plans = record.plans();
  expect(plans.filter(({ steps }) => steps.some((step) => /\bSCAN (?!CONSTANT)|TEMP B-TREE/.test(step)))).toEqual([]);
  // The next ordinal is the end of an index, and the newest messages are a range of it.
  const byPlace = /SEARCH messages USING (COVERING )?INDEX messages_session_id_ordinal_unique/;
  expect(plans.filter(({ steps }) => steps.some((step) => byPlace.test(step))).length).toBeGreaterThanOrEqual(4);
});

test("the model gets as much of a session of 10,000 messages as of one of 50", async () => {
  const platform = await startTestPlatform();
  onTestFinished(() => platform.stop());
  const db = openWritableDatabase(platform.databaseFile);
  onTestFinished(() => db.destroy());
  const config = { system_prompt: "You are brief.", history_tokens: 5_000 };
  const asked = [];
  for (const turns of [SHORT, LONG]) {
    const session_id = await seedSession(db, "alice", turns);
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
    { role: "user", content: expect.stringMatching(/^user 11 turns ago: /) },
  ]);
  expect(short?.messages?.at(-2)).toMatchObject({
    role: "assistant",
    content: expect.stringMatching(/^assistant 1 turns ago: /),
  });
  expect(long?.messages?.slice(0, -1)).toEqual(short?.messages?.slice(0, -1));
  expect(long?.usage).toEqual(short?.usage);
});
