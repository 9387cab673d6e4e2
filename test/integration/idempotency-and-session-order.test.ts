/**
 * Repeated and simultaneous requests: an Idempotency-Key joins its job, on every API process; the jobs of one session
 * run in the order accepted, on all workers (I6); and the model gets the earlier messages of a session.
 */
import type { JobKind } from "@agent-paas/shared/contract/jobs.ts";
import { MINUTE } from "@agent-paas/shared/time.ts";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { ApiClient } from "../support/api-client.ts";
import { isQueued, loseQueuedJob, openQueue, postpone } from "../support/bullmq.ts";
import { cancelUnfinished } from "../support/cancel-unfinished.ts";
import { expectOneDone } from "../support/expect-stream.ts";
import { forgetJob } from "../support/job-state.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { type SseStream, shownText } from "../support/sse-client.ts";
import { waitFor } from "../support/wait-for.ts";

let platform: TestPlatform;
let alice: ApiClient;
/** A client with the key of alice on another API process. */
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

/** A running chat whose model sends nothing until the chat is cancelled. */
async function startBusyChat(message: string) {
  const chat = await alice.chat({ message: `${BUSY} ${message}` });
  await alice.started(chat.jobId);
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

  test("joins a repeated chat to the stream of the first chat from its start, while it runs and when it has ended", async () => {
    const body = { message: "[[tokens=20 rate=20]] Say it once" };
    const headers = { "Idempotency-Key": "chat-again" };
    const first = await alice.chat(body, headers);
    const live = await elsewhere.chat(body, headers);
    expect([live.jobId, live.sessionId]).toEqual([first.jobId, first.sessionId]);
    const [events, again] = await Promise.all([first.all(), live.all()]);
    expect(events[0]?.id).toBe(1);
    expect(again).toEqual(events);
    expect(await (await elsewhere.chat(body, headers)).all()).toEqual(events);
    expect(await callsOf("Say it once")).toHaveLength(1);
    expect(await alice.history(first.sessionId)).toHaveLength(2);
  });

  test.each(["/chat/completions", "/agents/chat_basic/execute"])("is refused for another body on %s", async (path) => {
    const headers = { "Idempotency-Key": `reused-${path}` };
    const [text, agent] = path.startsWith("/chat")
      ? ["message", { agent_type: "chat_basic", stream: false }]
      : ["task"];
    const post = (client: ApiClient, content: string) =>
      client.post(path, { ...agent, [text as string]: content }, headers);
    expect((await post(alice, "[[text=Yes]] First body")).body.error).toBeUndefined();
    const refused = await post(elsewhere, "[[text=No]] Second body");
    expect(refused.status).toBe(409);
    expect(refused.body.error).toMatchObject({ code: "idempotency_key_reused", type: "conflict_error" });
    expect(await callsOf("Second body")).toEqual([]);
  });

  test("joins its job when the job has left the queue", async () => {
    const task = "[[text=Ran]] Forgotten by the queue";
    const jobId = (await execute(alice, "long-ago", task)).body.job_id;
    const before = await alice.ended(jobId);
    await waitFor("the job to leave the queue", async () => !(await isQueued(platform, "execute", jobId)));
    const again = await execute(elsewhere, "long-ago", task);
    expect([again.status, again.body.job_id]).toEqual([202, jobId]);
    expect(await isQueued(platform, "execute", jobId)).toBe(false);
    expect(await callsOf("Forgotten by the queue")).toHaveLength(1);
    expect(await alice.job(jobId)).toEqual(before);
  });

  test("joins the stream of an API that died on APIs that live, byte for byte", async () => {
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

  test("answers with the text of a chat of which Redis has only the key", async () => {
    const body = { message: "[[text=Still%20here]] Forgotten by Redis" };
    const headers = { "Idempotency-Key": "log-expired" };
    const first = await alice.chat(body, headers);
    const events = await first.all();
    const { jobId } = first;
    await loseQueuedJob(platform, "chat", jobId);
    await forgetJob(platform, jobId);
    const again = await elsewhere.chat(body, headers);
    const done = events.at(-1);
    expect([again.jobId, again.sessionId]).toEqual([jobId, first.sessionId]);
    expect(await again.all()).toEqual([
      { id: Number(done?.id) - 1, event: "message", data: { content: "Still here", type: "text" } },
      done,
    ]);
    expect(await callsOf("Forgotten by Redis")).toHaveLength(1);
    expect(await isQueued(platform, "chat", jobId)).toBe(false);
  });

  test.each([
    ["execute", "/agents/chat_basic/execute", { task: "[[text=Ran]] Half accepted task" }],
    ["chat", "/chat/completions", { agent_type: "chat_basic", message: "[[text=Ran]] Half accepted chat" }],
  ] as const)("queues the %s job that an API recorded before it died", async (kind, path, body) => {
    const post = (client: ApiClient) => client.post(path, body, { "Idempotency-Key": `half-${kind}` });
    const jobId = await recordOnly(kind, () => post(alice));
    expect((await post(elsewhere)).headers.get("x-job-id")).toBe(jobId);
    expect(await alice.ended(jobId)).toMatchObject({ status: "completed", attempt: 1, result: { content: "Ran" } });
    expect((await post(alice)).headers.get("x-job-id")).toBe(jobId);
    expect(await callsOf(`Half accepted ${kind === "chat" ? "chat" : "task"}`)).toHaveLength(1);
  });

  test("queues the recorded message of a dead API in its session queue, also when its entry there was removed", async () => {
    const { sessionId } = await startBusyChat("Half accepted: begin");
    const body = {
      agent_type: "chat_basic",
      session_id: sessionId,
      message: "[[tokens=20 rate=20]] Half accepted: first",
    };
    const post = () => alice.post("/chat/completions", body, { "Idempotency-Key": "half-accepted-message" });
    const jobId = await recordOnly("chat", post);
    const queue = platform.keys.sessionQueue(sessionId ?? "");
    // The next message of the session removes a dangling entry that is ten seconds old.
    expect(await platform.redis.lrem(queue, 1, `chat:${jobId}`)).toBe(1);
    await cancelUnfinished(alice);
    await waitFor("the session to be idle", async () => (await platform.redis.exists(queue)) === 0);

    const again = post();
    await alice.started(jobId);
    const next = await alice.chat({ session_id: sessionId, message: "[[text=Next]] Half accepted: second" });
    await Promise.all([again, next.all()]);
    const [, first, second] = await callsOf("Half accepted: ");
    expect([first?.last_user, second?.last_user].map((text) => text?.split(": ")[1])).toEqual(["first", "second"]);
    expect(second?.at_ms).toBeGreaterThanOrEqual(first?.ended_at_ms ?? Infinity);
  });

  test("interrupts the busy session for a message that was accepted before its API died", async () => {
    const first = await alice.chat({ message: "[[text=Hello]] Begin" });
    await first.all();
    const session_id = first.sessionId;
    const urgent = { session_id, message: "[[text=At%20once]] Urgent", on_busy: "interrupt" };
    const headers = { "Idempotency-Key": "half-interrupted" };
    const queue = openQueue(platform, "chat");
    await queue.pause();
    const half = await alice.chat(urgent, headers);
    half.cut();
    const busy = await alice.chat({ session_id, message: `${BUSY} In the way` });
    // The order of acceptance is reversed: the API of the urgent message found nothing to interrupt.
    const sessionQueue = platform.keys.sessionQueue(session_id ?? "");
    await platform.redis.lmove(sessionQueue, sessionQueue, "RIGHT", "LEFT");
    await queue.resume();
    await alice.started(busy.jobId);

    const again = await elsewhere.chat(urgent, headers);
    expect(again.jobId).toBe(half.jobId);
    expect((await busy.all()).at(-1)).toMatchObject({ event: "done", data: { status: "cancelled" } });
    expect(shownText(await again.all())).toBe("At once");
  });

  test("expires after the configured time and then makes a new job", async () => {
    const task = "[[text=Ran]] Sent again after a day";
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

  /**
   * The state after a crash between the acceptance of a job and its queueing: the key names a job that no queue has.
   */
  async function recordOnly(kind: JobKind, post: () => Promise<unknown>): Promise<string> {
    const queue = openQueue(platform, kind);
    await queue.pause();
    try {
      const posting = post();
      const job = await waitFor("the job", async () => (await queue.getJobs(["waiting"]))[0]);
      await queue.remove(job.id ?? "");
      // The request of a chat goes on waiting for the end, and is answered like the repeated request.
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
    const entries = await platform.redis.lrange(platform.keys.sessionQueue(sessionId ?? ""), 0, -1);
    const accepted = entries.slice(1).map((entry) => {
      const at = chats.findIndex(({ jobId }) => entry === `chat:${jobId}`);
      return messages[at];
    });
    expect([...accepted].sort()).toEqual(messages);

    await alice.cancel(head.jobId);
    const ends = (await Promise.all(chats.map((chat) => chat.all()))).map((events) => events.at(-1));
    for (const end of ends) expect(end).toMatchObject({ event: "done", data: { status: "completed" } });

    const calls = await callsOf("Turn ");
    expect(calls.map(({ last_user }) => last_user)).toEqual(accepted);
    for (const [at, call] of calls.slice(1).entries()) {
      expect(call.at_ms).toBeGreaterThanOrEqual(calls[at]?.ended_at_ms ?? Infinity);
    }
    const history = await alice.history(sessionId);
    expect(history.slice(1).map(({ role }) => role)).toEqual(accepted.flatMap(() => ["user", "assistant"]));
    expect(
      history
        .filter(({ role }) => role === "user")
        .slice(1)
        .map(({ content }) => content),
    ).toEqual(accepted);
  });

  test("are each promoted by the end of the job before, not by their own next check", async () => {
    const head = await startBusyChat("Promote");
    const rest: SseStream[] = [];
    for (let at = 0; at < 10; at++) {
      rest.push(await alice.chat({ session_id: head.sessionId, message: `[[text=Next]] Promote ${at}` }));
    }
    // No job checks by itself whether it is the head of its session any more.
    const jobIds = rest.map(({ jobId }) => jobId);
    const areAllDelayed = async () => (await postpone(platform, "chat", jobIds, MINUTE)) === rest.length;
    await waitFor("all jobs to be delayed", areAllDelayed);
    await alice.cancel(head.jobId);
    for (const events of await Promise.all(rest.map((chat) => chat.all()))) expectOneDone(events, "a promoted job");
    expect(await callsOf("Promote")).toHaveLength(1 + rest.length);
  });

  test("are refused with on_busy reject while a job runs, and the error names that job", async () => {
    const busy = await startBusyChat("Do not disturb");
    const body = { agent_type: "chat_basic", session_id: busy.sessionId, message: "Refused", on_busy: "reject" };
    const { status, body: answer } = await elsewhere.post("/chat/completions", body);
    expect(status).toBe(409);
    expect(answer.error).toMatchObject({ code: "session_busy", job_id: busy.jobId });
    await alice.cancel(busy.jobId);
    await busy.all();
    const accepted = await elsewhere.post("/chat/completions", {
      ...body,
      message: "[[text=Now]] Free",
      stream: false,
    });
    expect(accepted.body.message.content).toBe("Now");
    expect(await callsOf("Refused")).toEqual([]);
  });

  /** Ten execute jobs of one session at once, over both APIs; an accepted job runs until it is cancelled. */
  async function race(onBusy: "reject" | "interrupt") {
    const first = await alice.chat({ message: "[[text=Hello]] Begin" });
    await first.all();
    const body = { task: `${BUSY} All at once`, session_id: first.sessionId, on_busy: onBusy };
    const posts = Array.from({ length: 10 }, (_, at) =>
      (at % 2 === 0 ? alice : elsewhere).post("/agents/chat_basic/execute", body),
    );
    return Promise.all(posts);
  }

  test("with on_busy reject are one of ten posted at once, and the nine errors name that job", async () => {
    const answers = await race("reject");
    const accepted = answers.filter(({ status }) => status === 202);
    expect(accepted).toHaveLength(1);
    for (const { status, body } of answers) {
      if (status === 202) continue;
      expect([status, body.error.code, body.error.job_id]).toEqual([409, "session_busy", accepted[0]?.body.job_id]);
    }
  });

  test("with on_busy interrupt are all cancelled but the last of ten posted at once", async () => {
    const answers = await race("interrupt");
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 202));
    const statuses = async () =>
      Promise.all(answers.map(async ({ body }) => (await alice.job(body.job_id)).status as string));
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

  test("are cancelled, running and queued, by a message with on_busy interrupt", async () => {
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

describe("a later message of a session", () => {
  /** Sends a message in a session and returns the model call for it. */
  async function send(sessionId: string | null, message: string, config: object = {}) {
    const chat = await alice.chat({ session_id: sessionId, message: `[[text=A]] ${message}`, config });
    await chat.all();
    const [call] = await callsOf(message);
    return { sessionId: chat.sessionId, ...(await platform.model.call(call?.id ?? 0)) };
  }

  test("inherits the config of the session, and overrides fields of it for itself only", async () => {
    const first = await send(null, "Set up", { temperature: 0.25, max_tokens: 50 });
    const own = await send(first.sessionId, "Differ", { temperature: 1 });
    const inherited = await send(first.sessionId, "Inherit");
    expect([first, own, inherited].map(({ temperature, max_tokens }) => [temperature, max_tokens])).toEqual([
      [0.25, 50],
      [1, 50],
      [0.25, 50],
    ]);
  });

  test("is sent to the model after as many earlier messages as fit into history_tokens", async () => {
    const { sessionId } = await send(null, "Oldest", { system_prompt: "Be brief." });
    const second = await send(sessionId, "Middle");
    const system = { role: "system", content: "Be brief." };
    const oldest = [
      { role: "user", content: "[[text=A]] Oldest" },
      { role: "assistant", content: "A" },
    ];
    const middle = { role: "user", content: "[[text=A]] Middle" };
    expect(second.messages).toEqual([system, ...oldest, middle]);

    const tokens = (await alice.history(sessionId)).slice(-2).reduce((sum, { tokens_used }) => sum + tokens_used, 0);
    const third = await send(sessionId, "Newest", { history_tokens: tokens });
    expect(third.messages).toEqual([system, middle, oldest[1], { role: "user", content: "[[text=A]] Newest" }]);
    const alone = await send(sessionId, "Alone", { history_tokens: 0 });
    expect(alone.messages).toEqual([system, { role: "user", content: "[[text=A]] Alone" }]);
  });
});
