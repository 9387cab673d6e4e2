/**
 * The jobs of one session run in the order accepted, on all workers and whichever API accepted them (I6), and the model
 * gets the earlier messages of the session.
 */
import { HOUR } from "@agent-paas/shared/time.ts";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { ApiClient } from "../support/api-client.ts";
import { postpone } from "../support/bullmq.ts";
import { cancelUnfinished } from "../support/cancel-unfinished.ts";
import { expectOneDone } from "../support/expect-stream.ts";
import type { TestPlatform } from "../support/platform.ts";
import { type SseStream, shownText } from "../support/sse-client.ts";
import { BUSY, startTwoApis, type TwoApis } from "../support/two-apis.ts";
import { waitFor } from "../support/wait-for.ts";

let apis: TwoApis;
let platform: TestPlatform;
/** A client of each API process, with the same key. */
let alice: ApiClient;
let elsewhere: ApiClient;
beforeAll(async () => {
  apis = await startTwoApis();
  ({ platform, alice, elsewhere } = apis);
});
afterEach(() => cancelUnfinished(alice));
afterAll(() => platform.stop());

describe("the jobs of one session", () => {
  test("jobs of one session run one at a time in the order accepted, on two workers", async () => {
    const head = await apis.startBusyChat("Head of the line");
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

    const calls = await apis.callsOf("Turn ");
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

  test("each job is promoted by the end of the job before, not by its own next check", async () => {
    const head = await apis.startBusyChat("Promote");
    const rest: SseStream[] = [];
    for (let at = 0; at < 10; at++) {
      rest.push(await alice.chat({ session_id: head.sessionId, message: `[[text=Next]] Promote ${at}` }));
    }
    // No job checks by itself whether it is the head of its session any more.
    const jobIds = rest.map(({ jobId }) => jobId);
    const areAllDelayed = async () => (await postpone(platform, "chat", jobIds, HOUR)) === rest.length;
    await waitFor("all jobs to be delayed", areAllDelayed);
    await alice.cancel(head.jobId);
    for (const events of await Promise.all(rest.map((chat) => chat.all()))) expectOneDone(events, "a promoted job");
    expect(await apis.callsOf("Promote")).toHaveLength(1 + rest.length);
  });

  test("a message with on_busy reject is refused while a job runs, and the error names that job", async () => {
    const busy = await apis.startBusyChat("Do not disturb");
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
    expect(await apis.callsOf("Refused")).toEqual([]);
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

  test("of ten jobs posted at once with on_busy reject one is accepted, and the nine errors name it", async () => {
    const answers = await race("reject");
    const accepted = answers.filter(({ status }) => status === 202);
    expect(accepted).toHaveLength(1);
    for (const { status, body } of answers) {
      if (status === 202) continue;
      expect([status, body.error.code, body.error.job_id]).toEqual([409, "session_busy", accepted[0]?.body.job_id]);
    }
  });

  test("of ten jobs posted at once with on_busy interrupt all but the last are cancelled", async () => {
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

  test("stand in history in the order accepted, also when one is cancelled while others wait ahead of it", async () => {
    const { sessionId, jobId } = await apis.startBusyChat("First");
    const texts = ["Second", "Third", "Fourth", "Fifth"];
    const streams: SseStream[] = [];
    for (const text of texts) {
      streams.push(await alice.chat({ session_id: sessionId, message: `[[text=To%20${text}]] ${text}` }));
    }
    for (const at of [2, 0]) {
      const stream = streams[at] as SseStream;
      await elsewhere.cancel(stream.jobId);
      expectOneDone(await stream.all(), "a message that waits", "cancelled");
    }
    await alice.cancel(jobId);
    for (const at of [1, 3]) expectOneDone(await (streams[at] as SseStream).all(), "a message that is answered");
    const history = await alice.history(sessionId);
    expect(history.map(({ content }) => content.split(" ").at(-1))).toEqual([
      ...["First", "Second", "Third", "Third", "Fourth", "Fifth", "Fifth"],
    ]);
  });

  test("a message with on_busy interrupt cancels the running and the queued jobs of its session", async () => {
    const busy = await apis.startBusyChat("Interrupt me");
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
    expect(await apis.callsOf("Skipped")).toEqual([]);
  });
});

describe("a later message of a session", () => {
  /** Sends a message in a session and returns the model call for it. */
  async function send(sessionId: string | null, message: string, config: object = {}) {
    const chat = await alice.chat({ session_id: sessionId, message: `[[text=A]] ${message}`, config });
    await chat.all();
    const [call] = await apis.callsOf(message);
    return { sessionId: chat.sessionId, ...(await platform.model.call(call?.id ?? 0)) };
  }

  test("a message inherits the config of its session, and overrides fields of it for itself only", async () => {
    const first = await send(null, "Set up", { temperature: 0.25, max_tokens: 50 });
    const own = await send(first.sessionId, "Differ", { temperature: 1 });
    const inherited = await send(first.sessionId, "Inherit");
    expect([first, own, inherited].map(({ temperature, max_tokens }) => [temperature, max_tokens])).toEqual([
      [0.25, 50],
      [1, 50],
      [0.25, 50],
    ]);
  });

  test("a message is sent to the model after as many earlier messages as fit into history_tokens", async () => {
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
