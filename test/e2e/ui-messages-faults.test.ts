/**
 * Chats of the AI SDK while processes die (I1, I2): the message is the same as what the native wire tells of its job.
 */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
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

test("a job that is read by the native wire and as a message has the same text, calls and end", async () => {
  const chat = chatOf("tool_basic", { config: { tools: ["calculator"] } });
  const calls = 'calculator({"expression":"6*7"})|calculator({"expression":"2+2"});calculator({"expression":"1/0"})';
  await chat.sendMessage({ text: `sums [[text=Done calls=${calls}]]` });
  await chat.checked();
  const events = await (await platform.alice.follow(chat.lastMessage?.id ?? "")).all();
  expect(textOf(chat.lastMessage)).toBe(shownText(events));
  const results = thoughtsOf(events, "tool_result").map(({ call_id, result }) => [call_id, result]);
  const parts = (chat.lastMessage?.parts ?? []).flatMap((part) =>
    part.type === "dynamic-tool" ? [[part.toolCallId, part.output ?? part.errorText]] : [],
  );
  expect(parts.sort()).toEqual(results.sort());
  expect(results).toHaveLength(3);
  const metadata = chat.lastMessage?.metadata as { usage: { totalTokens: number } } | undefined;
  expect(metadata).toMatchObject({ status: "completed" });
  expect(events.at(-1)?.data).toMatchObject({
    ...{ status: "completed", usage: { total_tokens: metadata?.usage.totalTokens } },
  });
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
