/**
 * Chats of the AI SDK while processes die (I1, I2): the message is the same as what the native wire tells of its job.
 */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createAgUiAgent } from "../support/ag-ui-client.ts";
import type { Json } from "../support/api-client.ts";
import { checkedFetch, mcpHeaders, messagesOf } from "../support/mcp-client.ts";
import { createOpenAiClient } from "../support/openai-client.ts";
import { FIXTURE_AGENTS, KEYS, startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { shownText, thoughtsOf } from "../support/sse-client.ts";
import { createUiChat, textOf, type UiChat } from "../support/ui-chat.ts";
import { waitFor } from "../support/wait-for.ts";
import { workerOf } from "../support/worker-of.ts";

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform({ apis: 2, workers: 2, env: FIXTURE_AGENTS });
});
afterAll(() => platform.stop());

const chatOf = (agent = "chat_basic", body: object = {}) =>
  createUiChat(platform.alice.origin, KEYS.alice, { id: randomUUID(), agent, body });

const answering = (chat: UiChat): Promise<string> =>
  waitFor(
    "some text",
    () => chat.lastMessage?.role === "assistant" && textOf(chat.lastMessage) !== "" && chat.lastMessage.id,
  );

test("a message whose worker is killed is written on by another, and ends with the job's text", async () => {
  const chat = chatOf();
  const sent = chat.sendMessage({ text: "[[tokens=40 rate=15]] the worker will die" });
  const jobId = await answering(chat);
  await (await workerOf(platform, jobId)).kill();
  await sent;
  await chat.checked();
  const { status, attempt, result } = await platform.alice.job(jobId);
  expect([chat.status, status, attempt]).toEqual(["ready", "completed", 2]);
  expect(textOf(chat.lastMessage)).toBe(result.content);
  expect(chat.lastMessage?.parts.map(({ type }) => type)).toEqual(["step-start", "text"]);
});

const CALLS = 'calculator({"expression":"6*7"})|calculator({"expression":"2+2"});calculator({"expression":"1/0"})';

/** A run of AG-UI; the same run again joins its job. */
function runOf(api: number, threadId: string, runId: string, content: string) {
  const options = { agent: "tool_basic", threadId, initialMessages: [{ id: "q", role: "user" as const, content }] };
  const agent = createAgUiAgent(platform.apis[api]?.origin ?? "", KEYS.alice, options);
  return agent.run({ runId, forwardedProps: { config: { tools: ["calculator"] }, on_busy: "queue" } });
}

const newestJob = (status: string): Promise<Json> =>
  waitFor(`a ${status} job`, async () => (await platform.alice.get(`/jobs?status=${status}&limit=1`)).body.jobs[0]);

test("a job that is read through all doors at once has the same text, calls and end", async () => {
  const [threadId, runId] = [randomUUID(), randomUUID()];
  // The job that is read waits for one before it until all of them read.
  const before = runOf(0, threadId, randomUUID(), "[[tokens=1 ttft=60000]] ahead");
  const { id: ahead } = await newestJob("running");
  const sums = [threadId, runId, `sums [[tokens=20 calls=${CALLS}]]`] as const;
  const first = runOf(0, ...sums);
  const { id: jobId, session_id } = await newestJob("queued");
  const elsewhere = platform.apis[1]?.origin ?? "";
  const chat = createUiChat(elsewhere, KEYS.alice, { id: session_id, agent: "tool_basic" });
  const call = Buffer.from(JSON.stringify([1, null, false])).toString("base64url");
  const resumed = chat.resumeStream();
  const joined = runOf(1, ...sums);
  const stream = await platform.alice.follow(jobId);
  const headers = { ...mcpHeaders(KEYS.alice), "Last-Event-ID": `${jobId}.0.${call}` };
  const mcp = await checkedFetch()(`${elsewhere}/mcp`, { headers });
  await waitFor("the chat to be resumed", () => chat.lastMessage?.role === "assistant");
  await platform.alice.cancel(ahead);
  const [run, again, native] = await Promise.all([first, joined, stream.all(), before, resumed]);
  await chat.checked();
  const [result] = messagesOf(await mcp.text());
  const response = await createOpenAiClient(elsewhere, KEYS.alice).responses.retrieve(jobId);

  const done = native.at(-1)?.data as Json;
  const { total_tokens } = done.usage;
  const text = shownText(native);
  const agUi = (type: string, { events } = run) => events.filter((event) => event.type === type) as unknown as Json[];
  const delta = (events: readonly Json[]) => events.map((event) => event.delta).join("");
  expect([done.status, text.length > 20]).toEqual(["completed", true]);
  expect(delta(agUi("TEXT_MESSAGE_CONTENT"))).toBe(text);
  expect(delta(agUi("TEXT_MESSAGE_CONTENT", again))).toBe(text);
  expect([textOf(chat.lastMessage), result?.result.content[0].text, response.output_text]).toEqual([text, text, text]);

  const calls = thoughtsOf(native, "tool_result").map(({ call_id, result: content }) => [call_id, content]);
  expect(calls).toHaveLength(3);
  expect(agUi("TOOL_CALL_RESULT").map(({ toolCallId, content }) => [toolCallId, content])).toEqual(calls);
  const parts = (chat.lastMessage?.parts ?? []).flatMap((part) =>
    part.type === "dynamic-tool" ? [[part.toolCallId, part.output ?? part.errorText]] : [],
  );
  expect(parts.sort()).toEqual(calls.sort());

  const [finished] = agUi("RUN_FINISHED");
  expect(finished).toMatchObject({ outcome: { type: "success" }, usage: [{ totalTokens: total_tokens }] });
  expect(chat.lastMessage?.metadata).toMatchObject({ status: "completed", usage: { totalTokens: total_tokens } });
  expect(result?.result._meta).toMatchObject({ status: "completed", usage: { total_tokens } });
  expect(response).toMatchObject({ status: "completed", usage: { total_tokens } });
});

test("an API that stops tells the chat, which resumes on another and ends with one whole message", async () => {
  const id = randomUUID();
  const [stopping, staying] = platform.apis.toReversed();
  const chat = createUiChat(stopping?.origin ?? "", KEYS.alice, { id });
  const sent = chat.sendMessage({ text: "[[tokens=60 rate=20]] the API will stop" });
  const jobId = await answering(chat);
  await stopping?.stop(15_000);
  await sent;
  expect([chat.status, chat.error?.message]).toEqual(["error", expect.stringContaining("The job goes on")]);
  const elsewhere = createUiChat(staying?.origin ?? "", KEYS.alice, { id, messages: chat.messages });
  await elsewhere.resumeStream();
  await elsewhere.checked();
  expect(elsewhere.messages).toHaveLength(2);
  expect(textOf(elsewhere.lastMessage)).toBe((await platform.alice.ended(jobId)).result.content);
});
