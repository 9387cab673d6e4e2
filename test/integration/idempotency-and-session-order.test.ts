/**
 * What makes repeated and simultaneous requests safe: an Idempotency-Key joins the job that it made, on every API
 * process; the jobs of one session take turns in the order accepted, on all workers (I6); a turn builds on the earlier ones.
 */
import type { JobKind } from "@agent-paas/shared/contract/jobs.ts";
import { Queue } from "bullmq";
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from "vitest";
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
const jobOf = async (jobId: string): Promise<Json> => (await alice.get(`/jobs/${jobId}`)).body;
const isRunning = async (jobId: string) => (await jobOf(jobId)).status === "running";

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
    await waitFor("the queue to forget it", async () => (await platform.redis.exists(inQueue)) === 0);
    const again = await execute(elsewhere, "long-ago", task);
    expect([again.status, again.body.job_id]).toEqual([202, jobId]);
    expect(await platform.redis.exists(inQueue)).toBe(0);
    expect(await callsOf("Forgotten by the queue")).toHaveLength(1);
    expect(await jobOf(jobId)).toEqual(before);
  });

  test("joins the stream of an API that died, at one that was started since, byte for byte", async () => {
    const body = { message: "[[tokens=30 rate=15]] Outlive the API" };
    const headers = { "Idempotency-Key": "over-a-death" };
    const mortal = await platform.startApi();
    const first = await mortal.alice.chat(body, headers);
    for await (const { id } of first.events()) if (id === 5) break;
    await mortal.kill();
    const { alice: successor } = await platform.startApi();
    const post = (client: ApiClient) =>
      client.post("/chat/completions", { agent_type: "chat_basic", ...body }, headers);
    const [live, atAnother] = await Promise.all([post(successor), post(elsewhere)]);
    const replayed = await post(alice);
    expect([live.status, live.headers.get("x-job-id")]).toEqual([200, first.jobId]);
    expect(live.body).toContain("id: 1\n");
    expect([atAnother.body, replayed.body]).toEqual([live.body, live.body]);
    expect(await callsOf("Outlive the API")).toHaveLength(1);
  });

  test("still brings the answer of a chat when Redis knows nothing of it but the key", async () => {
    const body = { message: "[[text=Still%20here]] Forgotten by Redis" };
    const headers = { "Idempotency-Key": "log-expired" };
    const first = await alice.chat(body, headers);
    const told = await first.all();
    const { jobId } = first;
    await platform.redis.del(platform.keys.queuedJob("chat", jobId), platform.keys.jobState(jobId));
    await platform.redis.del(platform.keys.eventLog(jobId));
    const again = await elsewhere.chat(body, headers);
    const done = told.at(-1);
    expect([again.jobId, again.sessionId]).toEqual([jobId, first.sessionId]);
    expect(await again.all()).toEqual([
      { id: Number(done?.id) - 1, event: "message", data: { content: "Still here", type: "text" } },
      done,
    ]);
    expect(await callsOf("Forgotten by Redis")).toHaveLength(1);
    expect(await platform.redis.exists(platform.keys.queuedJob("chat", jobId))).toBe(0);
  });

  test.each([
    ["execute", "/agents/chat_basic/execute", { task: "[[text=Ran]] Half accepted task" }],
    ["chat", "/chat/completions", { agent_type: "chat_basic", message: "[[text=Ran]] Half accepted chat" }],
  ] as const)("queues the %s job that an API recorded and did not live to queue", async (kind, path, body) => {
    const post = (client: ApiClient) => client.post(path, body, { "Idempotency-Key": `half-${kind}` });
    const jobId = await recordOnly(kind, () => post(alice));
    // A chat answers whole only when it has ended.
    expect((await post(elsewhere)).headers.get("x-job-id")).toBe(jobId);
    expect(await alice.ended(jobId)).toMatchObject({ status: "completed", attempt: 1, result: { content: "Ran" } });
    expect((await post(alice)).headers.get("x-job-id")).toBe(jobId);
    expect(await callsOf(`Half accepted ${kind === "chat" ? "chat" : "task"}`)).toHaveLength(1);
  });

  test("queues such a message as a turn of its session, also when that was dropped as nobody's", async () => {
    const { sessionId } = await startBusyChat("Half a turn: begin");
    const body = {
      agent_type: "chat_basic",
      session_id: sessionId,
      message: "[[tokens=20 rate=20]] Half a turn: first",
    };
    const post = () => alice.post("/chat/completions", body, { "Idempotency-Key": "half-a-turn" });
    const jobId = await recordOnly("chat", post);
    const turns = platform.keys.sessionQueue(sessionId ?? "");
    // What the next message of the session does, ten seconds later.
    expect(await platform.redis.lrem(turns, 1, `chat:${jobId}`)).toBe(1);
    await cancelUnfinished(alice);
    await waitFor("the session to be idle", async () => (await platform.redis.exists(turns)) === 0);

    const again = post();
    await waitFor("it to run", () => isRunning(jobId).catch(() => false));
    const next = await alice.chat({ session_id: sessionId, message: "[[text=Next]] Half a turn: second" });
    await Promise.all([again, next.all()]);
    const [, first, second] = await callsOf("Half a turn");
    expect([first?.last_user, second?.last_user].map((text) => text?.split(": ")[1])).toEqual(["first", "second"]);
    expect(second?.at_ms).toBeGreaterThanOrEqual(first?.ended_at_ms ?? Infinity);
  });

  test("interrupts what an API accepted to interrupt and did not live to", async () => {
    const first = await alice.chat({ message: "[[text=Hello]] Begin" });
    await first.all();
    const session_id = first.sessionId;
    const urgent = { session_id, message: "[[text=At%20once]] Urgent", on_busy: "interrupt" };
    const headers = { "Idempotency-Key": "half-interrupted" };
    const queue = openQueue("chat");
    await queue.pause();
    const half = await alice.chat(urgent, headers);
    half.cut();
    const busy = await alice.chat({ session_id, message: `${BUSY} In the way` });
    // As if they had been accepted in the other order: nothing was ahead then.
    const turns = platform.keys.sessionQueue(session_id ?? "");
    await platform.redis.lmove(turns, turns, "RIGHT", "LEFT");
    await queue.resume();
    await waitFor("the busy chat to run", () => isRunning(busy.jobId));

    const again = await elsewhere.chat(urgent, headers);
    expect(again.jobId).toBe(half.jobId);
    expect((await busy.all()).at(-1)).toMatchObject({ event: "done", data: { status: "cancelled" } });
    expect(shownText(await again.all())).toBe("At once");
  });

  test("is remembered for as long as the setting says, and then means something new", async () => {
    const task = "[[text=Ran]] Said again after a day";
    const jobId = (await execute(alice, "one-day", task)).body.job_id;
    await alice.ended(jobId);
    const record = platform.keys.idempotency("alice", "one-day");
    const ttl = await platform.redis.ttl(record);
    expect(ttl).toBeGreaterThan(86_000);
    expect(ttl).toBeLessThanOrEqual(86_400);
    await platform.redis.pexpire(record, 1);
    await waitFor("the record to expire", async () => (await platform.redis.exists(record)) === 0);
    const again = (await execute(elsewhere, "one-day", task)).body.job_id;
    expect(again).not.toBe(jobId);
    expect(await alice.ended(again)).toMatchObject({ status: "completed" });
  });

  function openQueue(kind: JobKind): Queue {
    const queue = new Queue(kind, { connection: platform.redis, prefix: platform.keys.bullmq });
    onTestFinished(() => queue.close());
    return queue;
  }

  /** As after a crash between the acceptance of a job and its queueing: the key stands for it, and no queue has it. */
  async function recordOnly(kind: JobKind, post: () => Promise<unknown>): Promise<string> {
    const queue = openQueue(kind);
    await queue.pause();
    try {
      const posting = post();
      const job = await waitFor("the job", async () => (await queue.getJobs(["waiting"]))[0]);
      await queue.remove(job.id ?? "");
      // A chat waits for its end meanwhile, and is answered like the repeated one.
      void posting;
      return job.id ?? "";
    } finally {
      await queue.resume();
    }
  }
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
    const turns = await platform.redis.lrange(platform.keys.sessionQueue(sessionId ?? ""), 0, -1);
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

  test("follow one another at once", async () => {
    const head = await startBusyChat("Hand over");
    const rest = [];
    for (let at = 0; at < 10; at++) {
      rest.push(await alice.chat({ session_id: head.sessionId, message: `[[text=Next]] Hand over ${at}` }));
    }
    await cancel(head.jobId);
    await Promise.all(rest.map((chat) => chat.all()));
    const calls = await callsOf("Hand over");
    const gaps = calls.slice(1).map(({ at_ms }, at) => at_ms - (calls[at]?.ended_at_ms ?? Infinity));
    expect(gaps).toHaveLength(10);
    // Woken, and not found by the look that parked jobs take every 5 s. `npm run times` shows the milliseconds.
    expect(Math.min(...gaps)).toBeLessThan(250);
    expect(Math.max(...gaps)).toBeLessThan(4_000);
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

  /** Tasks of an old session from both APIs at once, that run until they are cancelled. */
  async function race(onBusy: "reject" | "interrupt") {
    const first = await alice.chat({ message: "[[text=Hello]] Begin" });
    await first.all();
    const body = { task: `${BUSY} All at once`, session_id: first.sessionId, on_busy: onBusy };
    const posts = Array.from({ length: 10 }, (_, at) =>
      (at % 2 === 0 ? alice : elsewhere).post("/agents/chat_basic/execute", body),
    );
    return Promise.all(posts);
  }

  test("are one of ten that come at once with on_busy reject; the others are told which", async () => {
    const answers = await race("reject");
    const accepted = answers.filter(({ status }) => status === 202);
    expect(accepted).toHaveLength(1);
    for (const { status, body } of answers) {
      if (status === 202) continue;
      expect([status, body.error.code, body.error.job_id]).toEqual([409, "session_busy", accepted[0]?.body.job_id]);
    }
  });

  test("give way to the last of ten that come at once with on_busy interrupt, and to it alone", async () => {
    const answers = await race("interrupt");
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 202));
    const statuses = async () =>
      Promise.all(answers.map(async ({ body }) => (await jobOf(body.job_id)).status as string));
    const settled = await waitFor("nine of them to be cancelled", async () => {
      const now = await statuses();
      return now.filter((status) => status === "cancelled").length === 9 && now.includes("running") && now;
    });
    expect(settled.toSorted()).toEqual([...Array.from({ length: 9 }, () => "cancelled"), "running"]);
    for (const [at, { body }] of answers.entries()) {
      if (settled[at] !== "cancelled") continue;
      const events = await (await alice.follow(body.job_id)).all();
      expect(events.filter(({ event }) => event === "done")).toEqual([events.at(-1)]);
    }
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
