/**
 * What makes repeated and simultaneous requests safe: an Idempotency-Key joins the job that it made, on every API
 * process; the jobs of one session take turns in the order accepted, on all workers (I6); a turn builds on the earlier ones.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { ApiClient, Json } from "../support/api-client.ts";
import { cancelUnfinished } from "../support/cancel-unfinished.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { shownText } from "../support/sse-client.ts";
import { waitFor } from "../support/wait-for.ts";

let platform: TestPlatform;
let alice: ApiClient;
/** The same key of another API process. */
let elsewhere: ApiClient;
beforeAll(async () => {
  platform = await startTestPlatform({ apis: 2, workers: 2 });
  const [first, second] = platform.apis;
  alice = first?.alice as ApiClient;
  elsewhere = second?.alice as ApiClient;
});
afterEach(() => cancelUnfinished(alice));
afterAll(() => platform.stop());

const BUSY = "[[tokens=1 ttft=60000]]";
const callsOf = (contains: string) => platform.model.calls({ contains });
const historyOf = async (sessionId: string | null): Promise<Json[]> =>
  (await alice.get(`/chat/history?session_id=${sessionId}`)).body.messages;
const cancel = (jobId: string) => alice.post(`/jobs/${jobId}/cancel`, {});
const isRunning = async (jobId: string) => (await alice.get(`/jobs/${jobId}`)).body.status === "running";

/** Starts a chat whose model says nothing until it is cancelled. */
async function startBusyChat(message: string) {
  const chat = await alice.chat({ message: `${BUSY} ${message}` });
  await waitFor("the busy chat to run", () => isRunning(chat.jobId));
  return chat;
}

describe("an Idempotency-Key", () => {
  const execute = (client: ApiClient, key: string, task: string) =>
    client.post("/agents/chat_basic/execute", { task }, { "Idempotency-Key": key });

  test("makes one job of twenty posts over two API processes", async () => {
    const posts = Array.from({ length: 20 }, (_, at) =>
      execute(at % 2 === 0 ? alice : elsewhere, "twenty-at-once", "[[text=Once]] Only one of us"),
    );
    const answers = await Promise.all(posts);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    const [jobId, ...others] = new Set(answers.map(({ body }) => body.job_id));
    expect(others).toEqual([]);
    expect((await alice.ended(jobId)).result.content).toBe("Once");
    expect(await callsOf("Only one of us")).toHaveLength(1);
  });

  test("attaches a repeated chat to the first one's stream, from its start, live and ended", async () => {
    const body = { message: "[[tokens=20 rate=20]] Say it once" };
    const headers = { "Idempotency-Key": "chat-again" };
    const first = await alice.chat(body, headers);
    const live = await elsewhere.chat(body, headers);
    expect([live.jobId, live.sessionId]).toEqual([first.jobId, first.sessionId]);
    const [told, toldAgain] = await Promise.all([first.all(), live.all()]);
    expect(told[0]?.id).toBe(1);
    expect(toldAgain).toEqual(told);
    expect(await (await elsewhere.chat(body, headers)).all()).toEqual(told);
    expect(await callsOf("Say it once")).toHaveLength(1);
    expect(await historyOf(first.sessionId)).toHaveLength(2);
  });

  test.each(["/chat/completions", "/agents/chat_basic/execute"])("is refused for another body on %s", async (path) => {
    const headers = { "Idempotency-Key": `reused-${path}` };
    const [text, agent] = path.startsWith("/chat")
      ? ["message", { agent_type: "chat_basic", stream: false }]
      : ["task"];
    const post = (client: ApiClient, said: string) => client.post(path, { ...agent, [text as string]: said }, headers);
    expect((await post(alice, "[[text=Yes]] First body")).body.error).toBeUndefined();
    const refused = await post(elsewhere, "[[text=No]] Second body");
    expect(refused.status).toBe(409);
    expect(refused.body.error).toMatchObject({ code: "idempotency_key_reused", type: "conflict_error" });
    expect(await callsOf("Second body")).toEqual([]);
  });

  test("still joins its job when the queue has forgotten that", async () => {
    const task = "[[text=Ran]] Forgotten by the queue";
    const jobId = (await execute(alice, "long-ago", task)).body.job_id;
    const before = await alice.ended(jobId);
    const inQueue = platform.keys.queuedJob("execute", jobId);
    expect(await platform.redis.del(inQueue)).toBe(1);
    const again = await execute(elsewhere, "long-ago", task);
    expect([again.status, again.body.job_id]).toEqual([202, jobId]);
    expect(await platform.redis.exists(inQueue)).toBe(0);
    expect(await callsOf("Forgotten by the queue")).toHaveLength(1);
    expect((await alice.get(`/jobs/${jobId}`)).body).toEqual(before);
  });
});

describe("the jobs of one session", () => {
  test("run one at a time in the order accepted, on two workers", async () => {
    const head = await startBusyChat("Head of the line");
    const { sessionId } = head;
    const messages = Array.from({ length: 10 }, (_, at) => `[[tokens=3 rate=30]] Turn ${at}.`);
    const chats = await Promise.all(
      messages.map((message, at) =>
        (at % 2 === 0 ? alice : elsewhere).chat({ session_id: sessionId, message }, { "Accept-Language": "en" }),
      ),
    );
    const turns = await platform.redis.lrange(platform.keys.sessionTurns(sessionId ?? ""), 0, -1);
    const accepted = turns.slice(1).map((turn) => {
      const at = chats.findIndex(({ jobId }) => turn === `chat:${jobId}`);
      return messages[at];
    });
    expect([...accepted].sort()).toEqual(messages);

    await cancel(head.jobId);
    const ends = (await Promise.all(chats.map((chat) => chat.all()))).map((events) => events.at(-1));
    for (const end of ends) expect(end).toMatchObject({ event: "done", data: { status: "completed" } });

    const calls = await callsOf("Turn ");
    expect(calls.map(({ last_user }) => last_user)).toEqual(accepted);
    for (const [at, call] of calls.slice(1).entries()) {
      expect(call.at_ms).toBeGreaterThanOrEqual(calls[at]?.ended_at_ms ?? Infinity);
    }
    const history = await historyOf(sessionId);
    expect(history.slice(1).map(({ role }) => role)).toEqual(accepted.flatMap(() => ["user", "assistant"]));
    expect(
      history
        .filter(({ role }) => role === "user")
        .slice(1)
        .map(({ content }) => content),
    ).toEqual(accepted);
  });

  test("are refused while one runs, with on_busy reject, and told which", async () => {
    const busy = await startBusyChat("Do not disturb");
    const body = { agent_type: "chat_basic", session_id: busy.sessionId, message: "Refused", on_busy: "reject" };
    const { status, body: answer } = await elsewhere.post("/chat/completions", body);
    expect(status).toBe(409);
    expect(answer.error).toMatchObject({ code: "session_busy", job_id: busy.jobId });
    await cancel(busy.jobId);
    await busy.all();
    const accepted = await elsewhere.post("/chat/completions", {
      ...body,
      message: "[[text=Now]] Free",
      stream: false,
    });
    expect(accepted.body.message.content).toBe("Now");
    expect(await callsOf("Refused")).toEqual([]);
  });

  test("give way to one with on_busy interrupt", async () => {
    const busy = await startBusyChat("Interrupt me");
    const waiting = await alice.chat({ session_id: busy.sessionId, message: "[[text=Never]] Skipped" });
    const urgent = await elsewhere.chat({
      session_id: busy.sessionId,
      message: "[[text=At%20once]] Urgent",
      on_busy: "interrupt",
    });
    expect(shownText(await urgent.all())).toBe("At once");
    for (const stream of [busy, waiting]) {
      expect((await stream.all()).at(-1)).toMatchObject({ event: "done", data: { status: "cancelled" } });
    }
    expect(await callsOf("Skipped")).toEqual([]);
  });
});

describe("a later turn", () => {
  /** Says `message` in a session and returns what the model was sent for it. */
  async function say(sessionId: string | null, message: string, config: object = {}) {
    const chat = await alice.chat({ session_id: sessionId, message: `[[text=A]] ${message}`, config });
    await chat.all();
    const [call] = await callsOf(message);
    return { sessionId: chat.sessionId, ...(await platform.model.call(call?.id ?? 0)) };
  }

  test("inherits the session's config; its own goes over it, for that turn", async () => {
    const first = await say(null, "Set up", { temperature: 0.25, max_tokens: 50 });
    const own = await say(first.sessionId, "Differ", { temperature: 1 });
    const inherited = await say(first.sessionId, "Inherit");
    expect([first, own, inherited].map(({ temperature, max_tokens }) => [temperature, max_tokens])).toEqual([
      [0.25, 50],
      [1, 50],
      [0.25, 50],
    ]);
  });

  test("is sent to the model below the earlier ones, as far as history_tokens reach", async () => {
    const { sessionId } = await say(null, "Oldest", { system_prompt: "Be brief." });
    const second = await say(sessionId, "Middle");
    const system = { role: "system", content: "Be brief." };
    const oldest = [
      { role: "user", content: "[[text=A]] Oldest" },
      { role: "assistant", content: "A" },
    ];
    const middle = { role: "user", content: "[[text=A]] Middle" };
    expect(second.messages).toEqual([system, ...oldest, middle]);

    const tokens = (await historyOf(sessionId)).slice(-2).reduce((sum, { tokens_used }) => sum + tokens_used, 0);
    const third = await say(sessionId, "Newest", { history_tokens: tokens });
    expect(third.messages).toEqual([system, middle, oldest[1], { role: "user", content: "[[text=A]] Newest" }]);
    const alone = await say(sessionId, "Alone", { history_tokens: 0 });
    expect(alone.messages).toEqual([system, { role: "user", content: "[[text=A]] Alone" }]);
  });
});
