/** Sessions over their life: history, lists, replaced messages, complete deletion (I9), and chats answered as JSON. */
import { newId } from "@agent-paas/shared/ids.ts";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { ApiClient, Json } from "../support/api-client.ts";
import { cancelUnfinished } from "../support/cancel-unfinished.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { keysInRedis } from "../support/platform-state.ts";
import { waitFor } from "../support/wait-for.ts";

let platform: TestPlatform;
let alice: ApiClient;
beforeAll(async () => {
  platform = await startTestPlatform({ env: { WORKER_EXECUTE_CONCURRENCY: "1" } });
  ({ alice } = platform);
});
afterEach(() => cancelUnfinished(alice));
afterAll(() => platform.stop());

const history = async (sessionId: string, query = ""): Promise<Json> =>
  (await alice.get(`/chat/history?session_id=${sessionId}${query}`)).body;

describe("a chat answered as JSON", () => {
  test("a chat answered as JSON has exactly the documented shape", async () => {
    const usage = { input_tokens: 10, output_tokens: 2, total_tokens: 12 };
    const { status, headers, body } = await alice.chatWhole("[[text=Two%20words]] Hello");
    expect(status).toBe(200);
    expect(body).toEqual({
      session_id: expect.any(String),
      job_id: expect.any(String),
      status: "completed",
      finish_reason: "stop",
      message: { role: "assistant", content: "Two words" },
      usage: { ...usage, models: { "local-model": usage } },
    });
    expect([headers.get("x-session-id"), headers.get("x-job-id")]).toEqual([body.session_id, body.job_id]);
    expect((await history(body.session_id)).messages).toHaveLength(2);
  });

  test.each([
    ["401", 502, "model_auth_failed"],
    ["400", 502, "model_rejected"],
  ])("the answer is the error of the job when the model answers %s", async (fault, status, code) => {
    const answer = await alice.chatWhole(`[[fault=${fault}]] Hello`);
    expect(answer.status).toBe(status);
    const { error } = answer.body;
    expect(Object.keys(answer.body)).toEqual(["error"]);
    expect(error).toMatchObject({ code, type: "model_error", param: null, job_id: answer.headers.get("x-job-id") });
    expect(error.request_id).toBe(answer.headers.get("x-request-id"));
    expect(await alice.job(error.job_id)).toMatchObject({ status: "failed", error: { code, message: error.message } });
  });

  test("the answer reports that the job was cancelled, with the partial result", async () => {
    const whole = alice.chatWhole("[[tokens=2000 rate=20]] Cancelled while it runs");
    const call = () => platform.model.calls({ contains: "Cancelled while it runs" });
    await waitFor("tokens of the answer", async () => ((await call())[0]?.tokens_sent ?? 0) > 3);
    const [running] = (await alice.get("/jobs?status=running")).body.jobs;
    await alice.cancel(running.id);
    const { status, body } = await whole;
    expect(status).toBe(200);
    expect(body).toMatchObject({ job_id: running.id, status: "cancelled", message: { role: "assistant" } });
    expect(body.message.content).not.toBe("");
  });
});

test("history is read in pages from the newest backwards, each page oldest first", async () => {
  const first = await alice.chatWhole("[[text=a1]] q1");
  const sessionId = first.body.session_id;
  for (const n of [2, 3]) await alice.chatWhole(`[[text=a${n}]] q${n}`, { session_id: sessionId });

  const all = await history(sessionId);
  expect(all).toMatchObject({ session_id: sessionId, next: null });
  expect(all.messages.map(({ content }: Json) => content.replace(/^\[\[.*\]\] /, ""))).toEqual([
    "q1",
    "a1",
    "q2",
    "a2",
    "q3",
    "a3",
  ]);
  for (const message of all.messages) {
    expect(Object.keys(message)).toEqual(
      expect.arrayContaining(["id", "role", "content", "tokens_used", "created_at", "metadata"]),
    );
    expect(message.tokens_used).toBeGreaterThan(0);
  }

  const pages: Json[] = [await history(sessionId, "&limit=4")];
  while (pages.at(-1).next !== null && pages.length < 5) {
    pages.push(await history(sessionId, `&limit=4&before=${pages.at(-1).next}`));
  }
  expect(pages.map(({ messages }) => messages.length)).toEqual([4, 2]);
  expect(pages.reverse().flatMap(({ messages }) => messages)).toEqual(all.messages);
});

test("sessions are listed newest first, in pages, with the fields of a single session", async () => {
  const ids: string[] = [];
  for (const n of [1, 2, 3]) {
    const { body } = await alice.chatWhole(`[[text=ok]] Session ${n}`, {
      config: { temperature: n / 4 },
      metadata: { n },
    });
    ids.push(body.session_id);
  }
  const newest = (await alice.get("/sessions?limit=2")).body;
  expect(newest.sessions.map(({ id }: Json) => id)).toEqual([ids[2], ids[1]]);
  const older = (await alice.get(`/sessions?limit=2&before=${newest.next}`)).body;
  expect(older.sessions[0].id).toBe(ids[0]);

  const { status, body } = await alice.get(`/sessions/${ids[0]}`);
  expect(status).toBe(200);
  expect(body).toEqual(older.sessions[0]);
  expect(body).toMatchObject({ agent_type: "chat_basic", config: { temperature: 0.25 }, metadata: { n: 1 } });
});

describe("the title of a session", () => {
  test("a title is the beginning of the first message until the session is renamed, and the new one stays", async () => {
    const { session_id } = (await alice.chatWhole("[[text=ok]] 泡茶\n要几度?")).body;
    const [listed] = (await alice.get("/sessions?limit=1")).body.sessions;
    expect(listed).toMatchObject({ id: session_id, title: "[[text=ok]] 泡茶 要几度?" });
    const renamed = await alice.patch(`/sessions/${session_id}`, { title: "Tea 🍵" });
    expect(renamed).toMatchObject({ status: 200, body: { ...listed, title: "Tea 🍵" } });
    await alice.chatWhole("[[text=ok]] And then?", { session_id });
    expect((await alice.get(`/sessions/${session_id}`)).body.title).toBe("Tea 🍵");
  });

  test("a session is renamed while its first job waits", async () => {
    const busy = await alice.execute("[[tokens=1 ttft=60000]] Busy");
    await alice.started(busy);
    const id = newId();
    const config = { temperature: 0.5 };
    const waiting = await alice.execute("[[text=ok]] Waits", { session_id: id, if_not_exists: "create", config });
    const before = (await alice.get(`/sessions/${id}`)).body;
    expect(before.title).toBeNull();
    const renamed = { status: 200, body: { ...before, title: "Named early" } };
    expect(await alice.patch(`/sessions/${id}`, { title: "Named early" })).toMatchObject(renamed);
    await alice.cancel(busy);
    await alice.ended(waiting);
    expect((await alice.get(`/sessions/${id}`)).body).toMatchObject({ title: "Named early", config });
  });

  test.each([
    ["none", {}],
    ["an empty one", { title: " " }],
    ["one of two lines", { title: "a\nb" }],
    ["one of 201 characters", { title: "a".repeat(201) }],
    ["what is no text", { title: 1 }],
  ])("%s is refused as a title", async (_, body) => {
    const { session_id } = (await alice.chatWhole("[[text=ok]] Kept")).body;
    const { status, body: answer } = await alice.patch(`/sessions/${session_id}`, body);
    expect([status, answer.error]).toMatchObject([400, { code: "invalid_request", param: "title" }]);
  });
});

describe("searching sessions", () => {
  const ids = ({ sessions }: Json) => sessions.map(({ id }: Json) => id);

  test("sessions with a text are listed as others are, newest first and in pages, with the text around it", async () => {
    const found: string[] = [];
    for (const n of [1, 2, 3]) {
      const { session_id } = (await alice.chatWhole(`[[text=ok]] Chat ${n}`)).body;
      await alice.chatWhole(`[[text=龙井茶]] Zebra ${n}`, { session_id });
      found.unshift(session_id);
    }
    const first = (await alice.get("/sessions?search=zEBRA&limit=2")).body;
    expect([ids(first), first.complete]).toEqual([found.slice(0, 2), true]);
    const { match, ...session } = first.sessions[0];
    expect([match, session]).toEqual(["[[text=龙井茶]] Zebra 3", (await alice.get(`/sessions/${found[0]}`)).body]);
    const rest = (await alice.get(`/sessions?search=zebra&limit=2&before=${first.next}`)).body;
    expect(rest).toMatchObject({ sessions: [{ id: found[2] }], next: null, complete: true });
    expect(ids((await alice.get(`/sessions?search=${encodeURIComponent("井茶")}`)).body)).toEqual(found);
    expect((await alice.get("/sessions?search=Chat%201")).body.sessions).toMatchObject([{ id: found[2], match: null }]);
    expect((await platform.bob.get("/sessions?search=zebra")).body).toEqual({
      sessions: [],
      next: null,
      complete: true,
    });
  });

  test("searches of one owner that come at once are all answered", async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => alice.get("/sessions?search=nowhere")));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  });

  test.each(["", "%20", "a".repeat(201)])("a search for %j is refused", async (search) => {
    const { status, body } = await alice.get(`/sessions?search=${search}`);
    expect([status, body.error]).toMatchObject([400, { code: "invalid_request", param: "search" }]);
  });
});

describe("replacing a message", () => {
  /** A session of three turns, q1 to q3, and its history. */
  async function threeTurns() {
    const { session_id } = (await alice.chatWhole("q1 [[text=a1]]")).body;
    for (const n of [2, 3]) await alice.chatWhole(`q${n} [[text=a${n}]]`, { session_id });
    return { session_id, messages: await alice.history(session_id) };
  }
  const contents = async (sessionId: string) => (await alice.history(sessionId)).map(({ content }) => content);

  test("an edited message takes the place of the one before and of all behind it, also for the model", async () => {
    const { session_id, messages } = await threeTurns();
    const [, , second] = messages;
    const edited = { session_id, replace_from: second.id };
    const key = { "Idempotency-Key": session_id };
    const answer = await alice.chatWhole("edited [[text=new]]", edited, key);
    expect(answer).toMatchObject({ status: 200, body: { message: { content: "new" } } });
    expect(await contents(session_id)).toEqual(["q1 [[text=a1]]", "a1", "edited [[text=new]]", "new"]);
    const call = (await platform.model.calls({ contains: "edited" })).at(-1);
    const asked = (await platform.model.call(call?.id ?? 0)).messages ?? [];
    expect(asked.map(({ content }: Json) => content)).toEqual(["q1 [[text=a1]]", "a1", "edited [[text=new]]"]);
    // Sent twice: the message that it replaces is gone by then.
    const again = await alice.chatWhole("edited [[text=new]]", edited, key);
    expect(again.body.job_id).toBe(answer.body.job_id);
    // The jobs of what was replaced stay.
    expect((await alice.job(second.job_id)).status).toBe("completed");
  });

  test("a message without a new text is sent again as it was", async () => {
    const { session_id, messages } = await threeTurns();
    const [first] = messages;
    const body = { agent_type: "chat_basic", session_id, replace_from: first.id, stream: false };
    expect((await alice.post("/chat/completions", body)).body.message.content).toBe("a1");
    const after = await alice.history(session_id);
    expect(after.map(({ content }) => content)).toEqual(["q1 [[text=a1]]", "a1"]);
    expect(after[0].id).not.toBe(first.id);
  });

  test("what cannot be replaced is refused with the name of the field, and everything stays", async () => {
    const { session_id, messages } = await threeTurns();
    const [question, reply] = messages;
    const elsewhere = (await alice.chatWhole("[[text=a]] elsewhere")).body.session_id;
    const tool_results = [{ call_id: "c", content: "21" }];
    const refused = [
      { session_id, replace_from: newId() },
      { session_id, replace_from: reply.id },
      { session_id: elsewhere, replace_from: question.id },
      { replace_from: question.id },
      { session_id, replace_from: "first" },
      { session_id, replace_from: question.id, tool_results },
    ];
    const answers = await Promise.all(refused.map((fields) => alice.chatWhole("Other words", fields)));
    expect(answers.map(({ status, body }) => [status, body.error?.code, body.error?.param])).toEqual([
      ...Array.from({ length: 5 }, () => [400, "invalid_request", "replace_from"]),
      [400, "invalid_request", "tool_results"],
    ]);
    expect(await alice.history(session_id)).toEqual(messages);
  });

  test("the messages stay while the turn that replaces them waits, and of two at once the later one stays", async () => {
    const { session_id, messages } = await threeTurns();
    const busy = await alice.chat({ message: "[[tokens=1 ttft=60000]] Busy", session_id });
    await alice.started(busy.jobId);
    const body = { message: "Instead [[text=new]]", session_id, replace_from: messages[0].id };
    const rejected = await alice.chatWhole(body.message, { ...body, on_busy: "reject" });
    expect([rejected.status, rejected.body.error.code]).toEqual([409, "session_busy"]);
    await alice.chat(body);
    expect((await contents(session_id)).slice(0, 2)).toEqual(["q1 [[text=a1]]", "a1"]);
    const last = await alice.chat({ ...body, message: "Rather [[text=newest]]" });
    await alice.cancel(busy.jobId);
    await last.all();
    expect(await contents(session_id)).toEqual(["Rather [[text=newest]]", "newest"]);
  });
});

describe("deleting a session", () => {
  test("the deletion of a session is refused while a job of the session runs", async () => {
    const chat = await alice.chat({ message: "[[tokens=1 ttft=60000]] Busy" });
    const { status, body } = await alice.delete(`/sessions/${chat.sessionId}`);
    expect(status).toBe(409);
    expect(body.error).toMatchObject({ code: "session_busy", job_id: chat.jobId });
    await alice.cancel(chat.jobId);
    await chat.all();
    expect((await alice.delete(`/sessions/${chat.sessionId}`)).status).toBe(204);
  });

  test("a deleted session leaves nothing in any answer and nothing in Redis", async () => {
    const kept = await alice.chatWhole("[[text=Kept]] Another session");
    const { session_id, job_id } = (await alice.chatWhole("[[text=Gone]] To be deleted")).body;
    const deleted = await alice.delete(`/sessions/${session_id}`);
    expect(deleted.status).toBe(204);

    const answers = await Promise.all([
      alice.get(`/sessions/${session_id}`),
      alice.delete(`/sessions/${session_id}`),
      alice.get(`/chat/history?session_id=${session_id}`),
      alice.chatWhole("Once more", { session_id }),
      alice.get(`/jobs/${job_id}`),
      alice.get(`/jobs/${job_id}/events`),
      alice.post(`/jobs/${job_id}/cancel`, {}),
    ]);
    expect(answers.map(({ status, body }) => [status, body.error?.code])).toEqual([
      ...Array.from({ length: 4 }, () => [404, "session_not_found"]),
      ...Array.from({ length: 3 }, () => [404, "job_not_found"]),
    ]);
    const listed = JSON.stringify([(await alice.get("/sessions")).body, (await alice.get("/jobs")).body]);
    expect(listed).not.toContain(session_id);
    expect(listed).toContain(kept.body.session_id);
    expect((await keysInRedis(platform)).filter((name) => name.includes(job_id))).toEqual([]);
  });
});
