/** Tools that the client runs: a call ends the job, and the next request of the session brings its result. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { newId } from "../../packages/shared/src/ids.ts";
import type { Json } from "../support/api-client.ts";
import { areQueuesIdle } from "../support/bullmq.ts";
import { expectPairs, SCREEN, type Sent, sentIn } from "../support/client-tools.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { waitFor } from "../support/wait-for.ts";

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform.stop());

const chat = (body: object, headers: Record<string, string> = {}) =>
  platform.alice.post("/chat/completions", { agent_type: "chat_basic", stream: false, ...body }, headers);

/** What the model was asked last with this in its last user message. */
const asked = (contains: string): Promise<Sent> => sentIn(platform, contains);

/** A chat that ends with these calls, as the model server's directive has them. */
async function callsOf(calls: string, more: object = {}) {
  const message = `${newId()} [[calls=${calls}]]`;
  const { status, body } = await chat({ message, tools: [SCREEN], ...more });
  expect(status).toBe(200);
  return { message, body, ids: (body.tool_calls ?? []).map(({ call_id }: Json) => call_id) };
}

const codeOf = ({ status, body }: { status: number; body: Json }) => [status, body.error?.code, body.error?.param];

test("a call ends the chat, and its result brings the answer", async () => {
  const { message, body, ids } = await callsOf('read_screen({"line": 1.0})');
  const call = { call_id: expect.any(String), name: "read_screen", arguments: '{"line": 1.0}' };
  expect(body).toMatchObject({ status: "completed", finish_reason: "tool_calls", tool_calls: [call] });
  const first = await asked(message);
  expect(first.tools).toEqual(["read_screen"]);

  const tool_results = [{ call_id: ids[0], content: "Line one reads: all is well" }];
  const answer = await chat({ session_id: body.session_id, tool_results, tools: [SCREEN] });
  expect(answer.body).toMatchObject({ status: "completed", finish_reason: "stop" });
  expect(answer.body.message.content).toContain("all is well");
  expect(answer.body.tool_calls).toBeUndefined();
  const { messages } = await asked(message);
  expect(messages.map(({ role }) => role)).toEqual(["user", "assistant", "tool"]);
  expect(messages[1]?.tool_calls).toMatchObject([{ function: { name: "read_screen" } }]);
  expectPairs(messages);

  const path = `/chat/history?session_id=${body.session_id}`;
  const { messages: all } = (await platform.alice.get(`${path}&include=tools`)).body;
  expect(all.map(({ role }: Json) => role)).toEqual(["user", "assistant", "tool", "assistant"]);
  expect(all[1].tool_calls).toEqual(body.tool_calls);
  expect(all[2]).toMatchObject({ content: "Line one reads: all is well", metadata: { call_id: ids[0], client: true } });
  const plain = (await platform.alice.get(path)).body.messages;
  expect(plain.map(({ role }: Json) => role)).toEqual(["user", "assistant", "assistant"]);
});

test("the stream shows the calls in thoughts and in its end, and the job has them in its result", async () => {
  const stream = await platform.alice.chat({ message: "[[calls=read_screen({})]]", tools: [SCREEN] });
  const events = await stream.all();
  const done = events.at(-1)?.data as Json;
  expect(done).toMatchObject({ status: "completed", finish_reason: "tool_calls", tool_calls: [{ arguments: "{}" }] });
  const shown = events.filter(({ data }) => (data as Json).type === "tool_call").map(({ data }) => data as Json);
  expect(shown).toMatchObject([{ ...done.tool_calls[0], client: true }]);
  const job = await platform.alice.job(done.job_id);
  expect(job.result.tool_calls).toEqual(done.tool_calls);
});

test("tools of the agent run first; then the job ends with the calls of the client", async () => {
  const calls = 'calculator({"expression":"123*456"});read_screen({});read_screen({"line":2})';
  const { message, body, ids } = await callsOf(calls, { agent_type: "tool_basic" });
  expect(body.tool_calls.map(({ name }: Json) => name)).toEqual(["read_screen", "read_screen"]);

  const tool_results = ids.map((call_id: string, at: number) => ({ call_id, content: `Screen ${at}` }));
  const more = { session_id: body.session_id, tool_results, message: "And then? [[text=So]]" };
  const answer = await chat({ agent_type: "tool_basic", ...more });
  expect(answer.body.message.content).toBe("So");
  const { messages } = await asked("And then?");
  expect(messages.map(({ role }) => role).join(" ")).toBe("user assistant tool tool tool assistant user");
  expect(messages.slice(2, 5).map(({ content }) => content)).toEqual([
    expect.stringContaining("56088"),
    "Screen 0",
    "Screen 1",
  ]);
  expectPairs(messages);
  expect(messages[0]?.content).toBe(message);
});

test("turns that call the client again and again are one turn, and go on where they ended", async () => {
  const turns = 'read_screen({})|calculator({"expression":"2*21"})|read_screen({"line":3})';
  const { body, ids, message } = await callsOf(turns, { agent_type: "tool_basic" });
  const result = (call_id: string, content: string) => ({
    ...{ agent_type: "tool_basic", session_id: body.session_id, config: { history_tokens: 0 } },
    tool_results: [{ call_id, content }],
  });
  const second = await chat(result(ids[0], "First"));
  expect(second.body).toMatchObject({ finish_reason: "tool_calls", tool_calls: [{ arguments: '{"line":3}' }] });
  const third = await chat(result(second.body.tool_calls[0].call_id, "Second"));
  expect(third.body.finish_reason).toBe("stop");
  const { messages, tools } = await asked(message);
  expect(messages.map(({ role }) => role).join(" ")).toBe("user assistant tool assistant tool assistant tool");
  expect(messages.filter(({ role }) => role === "tool").map(({ content }) => content)).toEqual([
    "First",
    expect.stringContaining("42"),
    "Second",
  ]);
  // Requests that bring results without tools mean those of the calls.
  expect(tools).toContain("read_screen");
  // The call of the first turn is over, and known.
  expect(codeOf(await chat(result(ids[0], "First")))).toEqual([409, "tool_call_answered", "tool_results.0.call_id"]);
});

test("an execute job goes on with an execute job", async () => {
  const task = `${newId()} [[calls=read_screen({})]]`;
  const accepted = await platform.alice.post("/agents/tool_basic/execute", { task, tools: [SCREEN] });
  expect(accepted.status).toBe(202);
  const { session_id } = accepted.body;
  const ended = await platform.alice.ended(accepted.body.job_id);
  expect(ended).toMatchObject({ status: "completed", session_id, result: { finish_reason: "tool_calls" } });
  const [{ call_id }] = ended.result.tool_calls;
  const next = await platform.alice.post("/agents/tool_basic/execute", {
    session_id,
    tool_results: [{ call_id, content: [{ type: "text", text: "as parts" }] }],
  });
  const answer = await platform.alice.ended(next.body.job_id);
  expect(answer.result.content).toContain("as parts");
});

test("a plain message marks the calls unanswered, and so does a result of another call", async () => {
  const { body, message } = await callsOf('read_screen({"line":1});read_screen({"line":2})');
  const next = await chat({ session_id: body.session_id, message: "Never mind [[text=Fine]]", tools: [SCREEN] });
  expect(next.status).toBe(200);
  const { messages } = await asked("Never mind");
  expect(messages.map(({ role }) => role).join(" ")).toBe("user assistant tool tool assistant user");
  expect(messages.slice(2, 4).map(({ content }) => content)).toEqual(
    Array(2).fill("The client sent no result of this call."),
  );
  // Without tools there are no calls, which some providers would refuse.
  await chat({ session_id: body.session_id, message: "No tools now [[text=Fine]]" });
  const without = await asked("No tools now");
  expect(without.messages.map(({ role }) => role).join(" ")).toBe("user assistant user assistant user");
  expect(without.messages[0]?.content).toBe(message);
  const late = {
    session_id: body.session_id,
    tool_results: [{ call_id: body.tool_calls[0].call_id, content: "Late" }],
  };
  expect(codeOf(await chat(late))).toEqual([409, "tool_call_answered", "tool_results.0.call_id"]);

  const half = await callsOf('read_screen({"line":1});read_screen({"line":2})');
  await chat({ session_id: half.body.session_id, tool_results: [{ call_id: half.ids[1], content: "Two" }] });
  const results = (await asked(half.message)).messages.filter(({ role }) => role === "tool");
  expect(results.map(({ content }) => content)).toEqual(["The client sent no result of this call.", "Two"]);
});

test("of a client that never comes back nothing is left to wait: its job has ended, and its session is free", async () => {
  const { body } = await callsOf("read_screen({})");
  expect(await platform.alice.job(body.job_id)).toMatchObject({ status: "completed", waiting_for: [] });
  await waitFor("the queues to be idle", () => areQueuesIdle(platform));
  const { redis, keys } = platform;
  const left = [keys.queuedJob("chat", body.job_id), keys.sessionQueue(body.session_id), keys.payload(body.job_id)];
  expect(await redis.exists(...left)).toBe(0);
});

test("results that are sent again join their job by its key, and are refused without one", async () => {
  const { body, ids } = await callsOf("read_screen({})");
  const results = { session_id: body.session_id, tool_results: [{ call_id: ids[0], content: "Once" }] };
  const headers = { "Idempotency-Key": newId() };
  const first = await chat(results, headers);
  const again = await chat(results, headers);
  expect([again.status, again.body.job_id]).toEqual([200, first.body.job_id]);
  expect(codeOf(await chat(results))).toEqual([409, "tool_call_answered", "tool_results.0.call_id"]);
  expect(codeOf(await chat(results, { "Idempotency-Key": newId() }))[0]).toBe(409);
});

test("results of a job that failed may be sent again", async () => {
  const { body, ids } = await callsOf("read_screen({})");
  const results = (message?: string) => ({
    ...{ session_id: body.session_id, message },
    tool_results: [{ call_id: ids[0], content: "Again" }],
  });
  const failed = await chat(results("[[fault=context_length]]"));
  expect(failed.body.error.code).toBe("model_context_exceeded");
  const answer = await chat(results());
  expect(answer.body.message.content).toContain("Again");
});

test("a model that is told to call a tool calls it once", async () => {
  const message = `${newId()} hello`;
  const forced = await chat({ message, tools: [SCREEN], tool_choice: { name: "read_screen" } });
  expect(forced.body.tool_calls).toMatchObject([{ name: "read_screen", arguments: "{}" }]);
  const none = await chat({ message: `${newId()} [[calls=read_screen({})]]`, tools: [SCREEN], tool_choice: "none" });
  expect(none.body.finish_reason).toBe("stop");
  const own = { agent_type: "tool_basic", tool_choice: { name: "current_time" } };
  expect((await chat({ message: newId(), ...own })).body.finish_reason).toBe("stop");
});
